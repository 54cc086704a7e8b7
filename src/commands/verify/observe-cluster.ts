import { join } from 'node:path';
import { accessTo, apiServerPlaces, type Place } from '../../cluster/api-servers.ts';
import { withApi, type Ask } from '../../cluster/api.ts';
import type { ApiAccess } from '../../cluster/connection.ts';
import { answered, isNotFound } from '../../cluster/failure.ts';
import { readClusterConfiguration } from '../../cluster/kubeadm-config-map.ts';
import {
  authenticationName,
  clusterInfoName,
  readClientCas,
  readClusterInfoText,
  readKubeletRequests,
  readNamespaces,
  readRoleBindings,
  readRootCas,
  readServingNodes,
  readTokenKeyIds,
  type ServingNode,
} from '../../cluster/pki-objects.ts';
import { readApiServers } from '../../cluster/surroundings.ts';
import { parseNodeNaming } from '../../config/node-naming.ts';
import { parseKubeadmConfig } from '../../config/parse.ts';
import { servedTrouble, servedCertificates } from '../../controlplane/probe.ts';
import { KubepkiError } from '../../errors/error.ts';
import { isUnusable, unusableClusterConfig } from '../../node/ask-cluster.ts';
import { requireApiAccess } from '../../node/cluster-access.ts';
import { isAnotherCluster } from '../../operations/verification/cluster/api-servers.ts';
import type {
  ApiServer,
  Asked,
  Cluster,
  ClusterConfig,
  Kubelet,
  Shown,
} from '../../operations/verification/cluster/cluster.ts';
import type { Observed } from '../../operations/verification/observed.ts';
import { parseCertificate } from '../../pki/certificate/certificate.ts';

/** For all of it: an operator with a broken cluster must not wait. */
const boundMs = 10_000;
/** For one server: it answers in milliseconds, or is not there. */
const serverMs = 3000;
/** So many are asked at once: each takes a socket, and a large cluster has thousands of kubelets. */
const atOnce = 64;

interface Asking {
  /** undefined: the admin.conf of this node. */
  readonly kubeconfig: string | undefined;
  /** The directory was named on the command line, so that the cluster has no say in it. */
  readonly isCertDirGiven: boolean;
}

/**
 * Asks the cluster all that its PKI can be judged by, all at once, and writes nothing there. Never throws for what it cannot be asked:
 * that is told of each question by itself.
 */
export async function observeCluster(
  observed: Observed,
  { kubeconfig, isCertDirGiven }: Asking,
): Promise<Cluster> {
  const { root, certDir, kubeconfigDir } = observed.subject.inventory.layout;
  const given = kubeconfig ?? root.display(join(kubeconfigDir, 'admin.conf'));
  const path = root.locate(given);
  const signal = AbortSignal.timeout(boundMs);
  const bounds = { signal, endsAt: performance.now() + boundMs };
  const otherCertDir = ({ certificatesDir = '/etc/kubernetes/pki' }: ClusterConfig['config']) =>
    isCertDirGiven || root.resolve(root.locate(certificatesDir)) === root.resolve(certDir)
      ? undefined
      : certificatesDir;
  try {
    const access = requireApiAccess(root, given);
    const cluster = await withApi(access, signal, async (ask): Promise<Cluster> => {
      const nodes = asked(readServingNodes(ask));
      const [namespaces, rootCas, clusterInfo, authentication, configuration, apiServers, kubelets, ...more] =
        await Promise.all([
          asked(readNamespaces(ask)),
          asked(readRootCas(ask)),
          asked(readClusterInfoText(ask), clusterInfoName),
          asked(readClientCas(ask), authenticationName),
          asked(readConfiguration(ask, otherCertDir), 'kubeadm-config'),
          askApiServers(asked(readApiServers(ask)), nodes, { ...bounds, access }),
          askKubelets(nodes, bounds),
          asked(readKubeletRequests(ask)),
          asked(readRoleBindings(ask)),
        ]);
      const [requests, bindings] = more;
      return {
        ...{ kubeconfig: path, namespaces, rootCas, clusterInfo, authentication, configuration },
        ...{ apiServers, kubelets, requests, bindings },
      };
    });
    return isAnotherCluster(observed, cluster) ? unaskedCluster(path, anotherCluster) : cluster;
  } catch (error) {
    return unaskedCluster(path, unasked(error));
  }
}

/** What was to be done about it would be done to that cluster. */
const anotherCluster: Unasked = {
  status: 'unasked',
  why: "this leads to another cluster: none of its API servers is this node's, and none has a certificate of this node's CA",
  hint: "name a kubeconfig of this node's cluster: --kubeconfig FILE",
};

function unaskedCluster(kubeconfig: string, nothing: Unasked): Cluster {
  return {
    kubeconfig,
    ...{ namespaces: nothing, rootCas: nothing, clusterInfo: nothing, authentication: nothing },
    ...{ configuration: nothing, apiServers: nothing, kubelets: nothing, requests: nothing },
    bindings: nothing,
  };
}

/** @param name of the one object that is asked for: it may not be there */
async function asked<T>(answer: Promise<T>, name?: string): Promise<Asked<T>> {
  try {
    return { status: 'answered', value: await answer };
  } catch (error) {
    return name !== undefined && isNotFound(error, name) ? { status: 'absent' } : unasked(error);
  }
}

type Unasked = Extract<Asked<never>, { status: 'unasked' }>;

function unasked(error: unknown): Unasked {
  if (!(error instanceof KubepkiError)) throw error;
  const { message, file, hint } = error;
  return { status: 'unasked', why: file === undefined ? message : `${file}: ${message}`, hint };
}

/** @throws KubepkiError also for one that cannot be used here: then nothing was compared */
async function readConfiguration(
  ask: Ask,
  otherCertDir: (config: ClusterConfig['config']) => string | undefined,
): Promise<ClusterConfig> {
  const text = await readClusterConfiguration(ask);
  try {
    const { config } = parseKubeadmConfig(text, 'cluster');
    return { config, naming: parseNodeNaming(text), otherCertDir: otherCertDir(config) };
  } catch (error) {
    throw error instanceof KubepkiError && isUnusable(error) ? unusableClusterConfig(error) : error;
  }
}

interface Bounds {
  readonly signal: AbortSignal;
  /** On the clock of `performance`. */
  readonly endsAt: number;
}

async function askApiServers(
  asking: Promise<Asked<readonly Place[]>>,
  askingNodes: Promise<Asked<readonly ServingNode[]>>,
  bounds: Bounds & { readonly access: ApiAccess },
): Promise<Asked<readonly ApiServer[]>> {
  const [found, nodes] = await Promise.all([asking, askingNodes]);
  if (found.status !== 'answered') return found;
  const places = apiServerPlaces(found.value, nodes.status === 'answered' ? nodes.value : []);
  const value = await eachOf(places, async (place): Promise<ApiServer> => {
    const [shown, tokenKeys] = await Promise.all([shownBy(place, bounds), askTokenKeys(place, bounds)]);
    return { ...place, shown, tokenKeys };
  });
  return { status: 'answered', value };
}

/** Each by its own address: behind the kubeconfig's there may be any of them. */
async function askTokenKeys(
  place: Place,
  { access, signal }: { readonly access: ApiAccess; readonly signal: AbortSignal },
): Promise<Asked<readonly string[]>> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(serverMs)]);
  try {
    return { status: 'answered', value: await withApi(accessTo(place, access), bounded, readTokenKeyIds) };
  } catch (error) {
    return answered(error) === 404 ? { status: 'absent' } : unasked(error);
  }
}

async function askKubelets(
  asking: Promise<Asked<readonly ServingNode[]>>,
  bounds: Bounds,
): Promise<Asked<readonly Kubelet[]>> {
  const nodes = await asking;
  if (nodes.status !== 'answered') return nodes;
  const value = await eachOf(
    nodes.value,
    async ({ name: node, isReady, addresses: [host], kubeletPort: port }): Promise<Kubelet> => ({
      node,
      isReady,
      shown:
        host === undefined
          ? { status: 'silent', why: 'no InternalIP' }
          : await shownBy({ host, port }, bounds),
    }),
  );
  return { status: 'answered', value };
}

async function shownBy({ host, port }: Place, { endsAt }: Bounds): Promise<Shown> {
  const left = Math.min(serverMs, endsAt - performance.now());
  if (left <= 0) return { status: 'late' };
  try {
    const [leaf, ...others] = await servedCertificates({ host, port, identity: undefined }, left);
    return { status: 'shown', chain: [parseCertificate(leaf), ...others.map(parseCertificate)] };
  } catch (error) {
    // With as much time as others it might have had something to say. A timer may be a little early.
    if (performance.now() + 10 >= endsAt) return { status: 'late' };
    return { status: 'silent', why: servedTrouble(error) };
  }
}

/** In their order, so many at once and no more. */
async function eachOf<T, R>(items: readonly T[], askOne: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  const rest = items.entries();
  const inTurn = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await askOne(item);
  };
  await Promise.all(Array.from({ length: atOnce }, inTurn));
  return results;
}
