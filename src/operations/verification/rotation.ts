import { completed } from '../rotation/next-step.ts';
import { orderOf } from '../rotation/state.ts';
import { lookAtEach, type Look, type Trouble } from './check.ts';
import type { Observed } from './observed.ts';
import { troubleOf } from './trouble.ts';

/**
 * Where a rotation is under way, every file of a CA is at one stage. What "kubeadm certs renew", "kubeadm upgrade" and a hand have done in
 * the middle is seen by this: kubeadm embeds one CA where two are needed, and writes the manifest of kube-controller-manager anew.
 */
export function isAtOneStage({ rotation, subject: { command } }: Observed): Look {
  if (rotation === undefined) return { looked: 0, troubles: [] };
  const { file, authorities } = rotation;
  if (authorities.status === 'unreadable') {
    return { looked: 1, troubles: [troubleOf('rotation', file, authorities.error)] };
  }
  if (authorities.status === 'missing') return { looked: 0, troubles: [] };
  return lookAtEach(authorities.value, ({ name, reached }): Trouble[] => {
    switch (reached.kind) {
      case 'unclear':
        return reached.misfits.map(({ path, error }) => ({
          grade: 'error',
          name,
          file: path,
          message: `${error.message}, and the rotation of ${name} is under way`,
          hint: error.hint ?? 'bring it back from a backup, or from another control plane',
        }));
      case 'between': {
        const { from, to, behind } = reached;
        const isNeighbour = orderOf(to) - orderOf(from) === 1;
        return behind.map(({ path, holds }) => ({
          grade: isNeighbour ? 'warning' : 'error',
          name,
          file: path,
          message: `holds ${holds}, and other files of ${name} are at ${to}`,
          hint: `bring this node to one stage: ${command(isNeighbour ? `ca rotate ${to}` : 'ca rotate')}`,
        }));
      }
      case 'at':
        return [
          {
            grade: 'note',
            name,
            file,
            message: `a rotation of ${name} is under way: this node is at ${completed({ reached: 'at', first: reached.first, last: reached.last })}`,
            hint: `${command('ca rotate')} says what is next`,
          },
        ];
    }
  });
}
