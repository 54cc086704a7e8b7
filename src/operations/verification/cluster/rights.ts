import { shellWord } from '../../../errors/shell-word.ts';
import { identityOf } from '../../owners/identity.ts';
import { lastFlagValue } from '../../node/component-flags.ts';
import { nothingHere, type Look, type Trouble } from '../check.ts';
import type { Observed } from '../observed.ts';
import { lookAtAnswer } from './asked.ts';
import type { RoleBinding } from './cluster.ts';

const name = 'apiserver-kubelet-client';

/** These may do to a kubelet all that the API server wants of it. */
const sufficient: ReadonlySet<string> = new Set(['system:kubelet-api-admin', 'cluster-admin']);

/**
 * A kubelet asks the API server what its caller may do. Up to kubeadm 1.28 the certificate is of the group that may do everything; later
 * its group, and since 1.33.12, 1.34.8, 1.35.5 and 1.36.1 its user, has its rights from a ClusterRoleBinding.
 */
export function mayCallTheKubelets(observed: Observed): Look {
  const { subject, pods } = observed;
  const entry = subject.inventory.certificates.find(({ spec }) => spec.name === name);
  if (entry?.state.status !== 'present') return nothingHere;
  const pod = pods['kube-apiserver'];
  const words = pod.status === 'present' ? pod.value.words : [];
  const modes = lastFlagValue(words, 'authorization-mode')?.split(',') ?? ['Node', 'RBAC'];
  // Then it is not RBAC that says who may do what.
  if (!modes.includes('RBAC')) return nothingHere;
  const hasOthers =
    modes.some((mode) => mode !== 'Node' && mode !== 'RBAC') ||
    lastFlagValue(words, 'authorization-config') !== undefined;
  const { commonNames, organizations } = identityOf(entry.state.value.chain[0]);
  if (organizations.includes('system:masters')) return { looked: 1, troubles: [] };
  const user = commonNames.at(-1) ?? '';
  const trouble = (grade: Trouble['grade'], message: string, hint: string): Look => ({
    looked: 1,
    troubles: [{ grade, name, file: entry.certificatePath, message, hint }],
  });
  return lookAtAnswer(
    observed,
    'whether the API server may call the kubelets',
    ({ bindings }) => bindings,
    (bindings): Look => {
      const isOf = ({ subjects }: RoleBinding, groups: readonly string[]): boolean =>
        subjects.some(
          (one) =>
            (one.kind === 'User' && one.name === user) || (one.kind === 'Group' && groups.includes(one.name)),
        );
      const everybody = [...organizations, 'system:authenticated'];
      if (bindings.some((one) => sufficient.has(one.role) && isOf(one, everybody)))
        return { looked: 1, troubles: [] };
      const [other] = bindings.filter((one) => isOf(one, organizations));
      const groups = organizations.map((one) => ` --as-group ${shellWord(one)}`).join('');
      // `nodes/proxy` would be the Node of that name.
      const canI = `see that it may call the kubelets: kubectl auth can-i get nodes --subresource proxy --as ${shellWord(user)}${groups}`;
      if (other === undefined && hasOthers)
        return trouble(
          'note',
          `no ClusterRoleBinding gives ${user} its rights, and whether another authorizer does is not known`,
          canI,
        );
      return other === undefined
        ? trouble(
            'error',
            `no ClusterRoleBinding gives ${user} its rights: the kubelets refuse the API server (logs, exec, metrics)`,
            `kubectl create clusterrolebinding kubeadm:apiserver-kubelet-client --clusterrole system:kubelet-api-admin --user ${shellWord(user)}`,
          )
        : trouble(
            'note',
            `has its rights from the ClusterRole ${other.role} (ClusterRoleBinding ${other.name}), not from system:kubelet-api-admin`,
            canI,
          );
    },
  );
}
