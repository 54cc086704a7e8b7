import type { Ask } from '../../cluster/api.ts';
import type { ServingNode } from '../../cluster/pki-objects.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
import { readClusterInfo } from '../../kubeconfig/cluster-info.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import { workloadsOf } from '../../operations/references/old-pods.ts';
import { publishedIn } from '../../operations/rotation/published.ts';
import type { RotationFiles } from '../../operations/rotation/state.ts';
import type { ClusterStatus, Measured } from '../../operations/rotation/status.ts';
import type { Node } from '../node-options.ts';

export interface MeasureOptions extends Typed<'offline' | 'kubeconfig'> {
  /** To see which CA signs, a request must be made in the cluster. */
  readonly asksForCertificate?: boolean;
}

/** For all of the cluster's answers: an operator must not wait for one that does not come. */
const boundMs = 10_000;

/** Pods know the cluster's CA, and no other. */
const noPods = { status: 'measured', value: { pods: [], unpublished: [] } } as const;
const noRequest = { status: 'unmeasured', why: 'no request was made' } as const;

interface ClusterAnswer {
  readonly status: Measured<ClusterStatus>;
  /** The nodes with their addresses; none: it is not known. */
  readonly nodes: readonly ServingNode[];
}

/** What the API server says of the rotation. Never throws for what it cannot be asked. */
export async function measureCluster(
  { layout }: Node,
  files: Pick<RotationFiles, 'inventory'>,
  authorities: readonly RotatedAuthority[],
  { kubeconfig, asksForCertificate = false }: MeasureOptions,
): Promise<ClusterAnswer> {
  const [{ withApi }, { requireNodeAccess }, objects, more, { measureSigner }, { readOldPods }] =
    await Promise.all([
      import('../../cluster/api.ts'),
      import('../cluster-access.ts'),
      import('../../cluster/pki-objects.ts'),
      import('../../cluster/rotation-objects.ts'),
      import('./measure-signer.ts'),
      import('../references/read-old-pods.ts'),
    ]);
  const of = (name: string): RotatedAuthority | undefined => authorities.find((one) => one.name === name);
  try {
    const access = requireNodeAccess(layout, kubeconfig);
    return await withApi(access, AbortSignal.timeout(boundMs), async (ask: Ask): Promise<ClusterAnswer> => {
      const [ca, frontProxy] = [of('ca'), of('front-proxy-ca')];
      const [nodes, rootCas, clients, clusterInfo, unavailable, oldPods, signer] = await Promise.all([
        measure(objects.readServingNodes(ask)),
        measure(objects.readRootCas(ask)),
        measure(objects.readClientCas(ask)),
        measure(objects.readClusterInfoText(ask).then(caOf)),
        measure(more.readUnavailableApis(ask)),
        ca === undefined ? noPods : measure(readOldPods(ask, ca.next, files.inventory)),
        ca === undefined || !asksForCertificate ? noRequest : measure(measureSigner(access, ca)),
      ]);
      const name = 'extension-apiserver-authentication';
      const value: ClusterStatus = {
        nodes: mapped(nodes, (all) =>
          all.map(({ name: one, isControlPlane: is, isReady }) => ({
            name: one,
            isControlPlane: is,
            isReady,
          })),
        ),
        rootCas: mapped(rootCas, (all) => all.map(({ namespace, pem }) => publishedIn(namespace, pem, ca))),
        clientCas: mapped(clients, ({ clientCas }) => publishedIn(name, clientCas, ca)),
        headerCas: mapped(clients, ({ requestHeaderCas }) => publishedIn(name, requestHeaderCas, frontProxy)),
        clusterInfo: mapped(clusterInfo, (text) => publishedIn('cluster-info', text, ca)),
        unavailable,
        signer,
        oldPods: mapped(oldPods, ({ pods }) => workloadsOf(pods)),
      };
      const found = nodes.status === 'measured' ? nodes.value : [];
      return { status: { status: 'measured', value }, nodes: found };
    });
  } catch (error) {
    return { status: unmeasured(error), nodes: [] };
  }
}

function caOf(kubeconfig: string | undefined): string | undefined {
  return kubeconfig === undefined ? undefined : readClusterInfo(kubeconfig).ca;
}

async function measure<T>(asking: Promise<T>): Promise<Measured<T>> {
  try {
    return { status: 'measured', value: await asking };
  } catch (error) {
    return unmeasured(error);
  }
}

function unmeasured(error: unknown): { readonly status: 'unmeasured'; readonly why: string } {
  if (!(error instanceof Error)) throw error;
  const why = error instanceof KubepkiError ? error.oneLine : error.message;
  return { status: 'unmeasured', why };
}

function mapped<T, R>(measured: Measured<T>, change: (value: T) => R): Measured<R> {
  return measured.status === 'measured' ? { status: 'measured', value: change(measured.value) } : measured;
}
