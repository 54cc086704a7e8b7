import type { CaName } from '../../catalog/catalog.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import type { Rotation } from './rotation.ts';
import { reached, type RotationFiles } from './state.ts';

/** What `prepare` was asked for. */
export interface Request {
  readonly names: readonly CaName[];
  /** From where the key of the CA is kept; undefined: the new keys are made here. */
  readonly brought: { readonly next: Certificate; readonly cross: Certificate } | undefined;
}

/**
 * Whether the rotation that a node knows of is the one that is asked for, and nothing of it is in use: then a run that was killed after its
 * change, or the same command again, has nothing left to do.
 */
export function isPrepared(
  { names, brought }: Request,
  { authorities }: Pick<Rotation, 'authorities'>,
  files: RotationFiles,
): boolean {
  const isSameSet =
    names.length === authorities.length && authorities.every(({ name }) => names.includes(name));
  const isSameSource = authorities.every(({ next, cross, keys }) =>
    brought === undefined
      ? keys.next
      : next.der.equals(brought.next.der) && cross.der.equals(brought.cross.der),
  );
  return isSameSet && isSameSource && authorities.every((one) => isUnused(reached(one, files)));
}

function isUnused(found: ReturnType<typeof reached>): boolean {
  return found.kind === 'at' && found.first === 'prepare';
}
