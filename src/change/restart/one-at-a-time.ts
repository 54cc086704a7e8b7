import { KubepkiError } from '../../errors/error.ts';
import { otherVoters } from '../../controlplane/etcd-members.ts';
import type { leaseFlags, Typed } from '../../flags/table.ts';
import type { Layout } from '../../inventory/layout.ts';
import { readStaticPods } from '../../inventory/kubelet/static-pods.ts';
import type { Node } from '../../node/node-options.ts';
import { openRestartLease } from '../../node/restart-lease.ts';
import { etcdSetting, lastFlagValue } from '../../operations/node/component-flags.ts';
import type { Progress } from '../../terminal/progress.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { etcdAccess } from './etcd-access.ts';
import { leaseWords, noOthers, takeTurn, type Turn, type TurnClock } from './turn.ts';

export type LeaseFlags = Typed<(typeof leaseFlags)[number] | 'kubeconfig'>;

/**
 * Waits until no other control plane of the cluster restarts.
 * @throws KubepkiError busy when another does all the time
 */
export async function takeRestartTurn(
  node: Node,
  { lease, leaseTimeout, kubeconfig }: LeaseFlags,
  clock: TurnClock,
  terminal: Terminal,
): Promise<Turn> {
  if (!lease || !(await hasOthers(node.layout))) return noOthers;
  const without = (error: KubepkiError): Turn => {
    terminal.warning(`${leaseWords} cannot be taken, so etcd's quorum alone decides: ${error.oneLine}`);
    return noOthers;
  };
  let opened;
  try {
    opened = openRestartLease(node, kubeconfig, () => new Date());
  } catch (error) {
    if (error instanceof KubepkiError) return without(error);
    throw error;
  }
  const { store, self } = opened;
  let progress: Progress | undefined;
  try {
    const answer = await takeTurn(
      store,
      {
        self,
        timeoutMs: leaseTimeout,
        waiting: ({ node: holder }) => {
          const words = `waiting while ${holder} restarts (${leaseWords})`;
          progress ??= terminal.progress(words);
          progress.update(words);
        },
      },
      clock,
    );
    return answer.status === 'held' ? answer.turn : without(answer.error);
  } finally {
    progress?.end();
  }
}

/** Whether the API server of this node shares its etcd with others. */
async function hasOthers(layout: Layout): Promise<boolean> {
  const pods = readStaticPods(layout);
  if (pods.etcd.status === 'present') {
    const pod = pods.etcd.value;
    if (several(etcdSetting(pod, 'initial-cluster'))) return true;
    // The manifest of the first control plane names itself alone (kubeadm init), however many have joined since.
    try {
      return (await otherVoters(etcdAccess(layout, pod))).length > 0;
    } catch {
      // What etcd does not say now is asked again before it is stopped.
      return false;
    }
  }
  const apiServer = pods['kube-apiserver'];
  return apiServer.status === 'present' && several(lastFlagValue(apiServer.value.words, 'etcd-servers'));
}

function several(list: string | undefined): boolean {
  return (list ?? '').split(',').filter((one) => one.trim() !== '').length > 1;
}
