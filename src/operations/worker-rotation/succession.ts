import type { Rotation } from '../rotation/rotation.ts';
import type { ReceivingNode, Transfer } from '../rotation/transfer.ts';

/**
 * The rotation that this node is in. One that has come to its end is none where another follows, which replaces the CA that the first has
 * brought: a worker does nothing at the end of a rotation, and so keeps the plan.
 */
export function rotationHere(
  { plan, authorities }: Pick<Transfer, 'plan' | 'authorities'>,
  { rotation, files }: Pick<ReceivingNode, 'rotation' | 'files'>,
): Rotation | undefined {
  if (rotation === undefined || rotation.plan.id === plan.id) return rotation;
  const before = rotation.authorities.find(({ name }) => name === 'ca');
  const after = authorities.find(({ name }) => name === 'ca');
  const held = files.get('ca')?.bundle ?? [];
  const isOver =
    before !== undefined &&
    after?.old.der.equals(before.next.der) === true &&
    !held.some(({ der }) => der.equals(before.old.der));
  return isOver ? undefined : rotation;
}
