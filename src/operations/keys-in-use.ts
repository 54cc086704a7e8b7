import type { FileTarget } from '../changeset/change-set.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { KeyTargets } from '../inventory/key-targets.ts';
import type { Certificate } from '../pki/certificate.ts';

/** The keys that certificates in use belong to, and the files that hold them. */
export interface KeysInUse {
  readonly holds: (publicKey: Certificate['publicKey']) => boolean;
  readonly isFile: (target: FileTarget) => boolean;
}

export function keysInUse(inventory: Inventory, keyTargets: KeyTargets): KeysInUse {
  const publicKeys = inventory.certificates.flatMap(({ state }) =>
    state.status === 'present' ? [state.value.chain[0].publicKey] : [],
  );
  const files = new Set(
    [...keyTargets.values()].flatMap((reading) =>
      reading.status === 'present' ? [reading.value.resolvedPath] : [],
    ),
  );
  return {
    holds: (publicKey) => publicKeys.some((one) => one.equals(publicKey)),
    isFile: ({ resolvedPath }) => files.has(resolvedPath),
  };
}
