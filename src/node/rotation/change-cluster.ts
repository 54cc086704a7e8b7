import { withApi } from '../../cluster/api.ts';
import { readClientCas, readServingNodes } from '../../cluster/pki-objects.ts';
import { changeClusterInfo, removeClientCas } from '../../cluster/rotation-objects.ts';
import { answered } from '../../cluster/failure.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
import { clusterInfoFor } from '../../operations/rotation/cluster-info.ts';
import type { RotatedAuthority, Stage } from '../../operations/rotation/plan.ts';
import { publishedIn } from '../../operations/rotation/published.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { requireNodeAccess } from '../cluster-access.ts';
import type { Node } from '../node-options.ts';

const boundMs = 20_000;
/** For an answer that a rollback can do without. */
const namesBoundMs = 10_000;

interface ClusterPart {
  /** That this node is at now, also where it has gone back to it. */
  readonly stage: Stage;
  readonly authorities: readonly RotatedAuthority[];
  /** No control plane trusts the old CA any more, so that none puts it back. */
  readonly isLastDistrust: boolean;
}

/**
 * What a stage changes in the cluster: the CAs in `cluster-info`, by which nodes join, and in the end the old CA in
 * `extension-apiserver-authentication`, to which API servers only ever add. The same again changes nothing.
 * @returns whether it is done
 */
export async function changeCluster(
  { stage, authorities, isLastDistrust }: ClusterPart,
  node: Node,
  { kubeconfig, offline, dryRun }: Typed<'kubeconfig' | 'offline' | 'dryRun'>,
  terminal: Terminal,
): Promise<boolean> {
  const [ca, frontProxy] = (['ca', 'front-proxy-ca'] as const).map((name) =>
    authorities.find((one) => one.name === name),
  );
  if (dryRun === true || stage === 'finish' || (ca === undefined && frontProxy === undefined)) return true;
  if (offline === true) {
    terminal.note('nothing was changed in the cluster (--offline)');
    return true;
  }
  try {
    await withApi(requireNodeAccess(node.layout, kubeconfig), AbortSignal.timeout(boundMs), async (ask) => {
      if (
        ca !== undefined &&
        (await unlessAbsent(changeClusterInfo(ask, (text) => clusterInfoFor(stage, ca, text))))
      ) {
        terminal.note(`cluster-info holds the CAs of ${stage}`);
      }
      if (stage !== 'distrust' || !isLastDistrust) return;
      const { clientCas, requestHeaderCas } = await readClientCas(ask);
      const holdsOld =
        publishedIn('', clientCas, ca).hasOld || publishedIn('', requestHeaderCas, frontProxy).hasOld;
      if (!holdsOld) return;
      await removeClientCas(ask);
      terminal.note(
        'extension-apiserver-authentication was removed, and the API servers make it anew without the old CAs',
      );
    });
    return true;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.error(error);
    terminal.hint(
      stage === 'prepare'
        ? 'this node is at prepare; cluster-info has both CAs, which does no harm'
        : `this node is at ${stage}; what is left in the cluster does: ${commandLine(node.flags)(`ca rotate ${stage}`)}`,
    );
    return false;
  }
}

/** The names of the cluster's nodes; undefined: it cannot be asked. */
export async function readNodeNames(
  { layout }: Node,
  { kubeconfig, offline }: Typed<'kubeconfig' | 'offline'>,
): Promise<readonly string[] | undefined> {
  if (offline === true) return undefined;
  try {
    const nodes = await withApi(
      requireNodeAccess(layout, kubeconfig),
      AbortSignal.timeout(namesBoundMs),
      readServingNodes,
    );
    return nodes.map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return undefined;
  }
}

async function unlessAbsent(changing: Promise<boolean>): Promise<boolean> {
  try {
    return await changing;
  } catch (error) {
    if (answered(error) === 404) return false;
    throw error;
  }
}
