import { withApi } from '../../cluster/api.ts';
import { readClientCas } from '../../cluster/pki-objects.ts';
import { changeClusterInfo, removeClientCas } from '../../cluster/rotation-objects.ts';
import { answered } from '../../cluster/failure.ts';
import { KubepkiError } from '../../errors/error.ts';
import { requireApiAccess } from '../../node/cluster-access.ts';
import type { Node } from '../../node/node-options.ts';
import { clusterInfoFor } from '../../operations/rotation/cluster-info.ts';
import type { LiveStage } from '../../operations/rotation/plan-stage.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import { publishedIn } from '../../operations/rotation/published.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

const boundMs = 20_000;

interface ClusterPart {
  readonly stage: LiveStage;
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
  { kubeconfig, dryRun }: RotateOptions,
  terminal: Terminal,
): Promise<boolean> {
  const [ca, frontProxy] = (['ca', 'front-proxy-ca'] as const).map((name) =>
    authorities.find((one) => one.name === name),
  );
  if (dryRun === true || stage === 'finish' || (ca === undefined && frontProxy === undefined)) return true;
  const { root, kubeconfigDir } = node.layout;
  const given = kubeconfig ?? root.display(`${kubeconfigDir}/admin.conf`);
  try {
    await withApi(requireApiAccess(root, given), AbortSignal.timeout(boundMs), async (ask) => {
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
    terminal.hint('this node is at the stage; the same command again does what is left in the cluster');
    return false;
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
