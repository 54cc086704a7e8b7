import { etcdAccess } from '../../change/restart/etcd-access.ts';
import { quorumNow } from '../../controlplane/etcd-quorum.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readStaticPods, type StaticPod } from '../../inventory/kubelet/static-pods.ts';
import type { Node } from '../../node/node-options.ts';
import { stateOf } from '../../node/waiting.ts';
import type { Finding } from '../../operations/rotation/conditions.ts';
import { readAsideJournal } from '../../storage/aside-journal.ts';
import type { RotateOptions } from './rotate-options.ts';

/** What speaks against restarting this node's etcd member; undefined: nothing does. */
export async function whyNoQuorum(node: Node, { offline }: RotateOptions): Promise<Finding | undefined> {
  const { layout } = node;
  if (offline === true) return unmeasured('etcd was not asked (--offline)');
  if (layout.root.directory !== '/') return unmeasured('the etcd of another root is not asked');
  const { etcd } = readStaticPods(layout, readAsideJournal(stateOf(node)));
  switch (etcd.status) {
    case 'missing':
      return unmeasured('no etcd of kubeadm runs on this node');
    case 'unreadable':
      return unmeasured(etcd.error.oneLine);
    case 'present':
      return askEtcd(node, etcd.value);
  }
}

async function askEtcd({ layout }: Node, pod: StaticPod): Promise<Finding | undefined> {
  try {
    const found = await quorumNow(etcdAccess(layout, pod));
    if (found.answer === 'safe') return undefined;
    return found.answer === 'lost' ? { kind: 'unmet', reason: found.reason } : unmeasured(found.reason);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return unmeasured(error.oneLine);
  }
}

function unmeasured(reason: string): Finding {
  return { kind: 'unmeasured', reason };
}
