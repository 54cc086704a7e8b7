import { withAdditional } from '../operations/expiration/additional.ts';
import { expiration } from '../operations/expiration/expiration.ts';
import type { Examined, ExamineOptions } from './examine.ts';
import type { Node } from './node-options.ts';
import { nameOfNode } from './node-name.ts';
import { observe, usersHere } from './observe.ts';

/**
 * The same, and all that `verify` looks at: the kubelet, people's kubeconfigs, endpoints.
 * @throws KubepkiError where kubeadm manages nothing
 */
export async function examineAll(
  node: Node,
  { certsOnly = false, endpoint = [], kubeconfigFile = [] }: ExamineOptions,
  now: Date,
): Promise<Examined> {
  const people = { users: usersHere(), kubeconfigs: kubeconfigFile };
  // What ends soon, and modes, are not judged here.
  const files = observe(node, { certsOnly, cis: false, withinMs: 0, people, now });
  const live =
    endpoint.length === 0
      ? undefined
      : await (await import('./observe-live.ts')).observeLive(files, { isLive: false, given: endpoint });
  const { subject, findings } = files;
  return {
    ...withAdditional(expiration(subject, findings), { ...files, live }),
    subject,
    node: nameOfNode(node),
  };
}
