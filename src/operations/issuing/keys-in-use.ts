import type { FileTarget } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey, type SubjectKey } from '../../pki/key/public-key.ts';

/** The keys of the certificates in use, and the files that hold them. */
export interface KeysInUse {
  /** Whether the private key lies in its place. */
  readonly isLive: (publicKey: SubjectKey) => boolean;
  /** Whether the key must not be lost: it is live, or a certificate in use belongs to it although the key is elsewhere. */
  readonly holds: (publicKey: SubjectKey) => boolean;
  readonly isFile: (target: FileTarget) => boolean;
}

export function keysInUse({ certificates }: Inventory, keys: PrivateKeys): KeysInUse {
  const held = certificates.flatMap(({ spec }) => keys.get(spec.name) ?? []);
  const live = held.flatMap(({ content }) =>
    content.status === 'present' ? [publicKeyOf(content.value)] : [],
  );
  const certified = certificates.flatMap(({ state }) =>
    state.status === 'present' ? [state.value.chain[0].publicKey] : [],
  );
  const files = new Set(
    held.flatMap(({ replaceable }) =>
      replaceable?.status === 'present' ? [replaceable.value.resolvedPath] : [],
    ),
  );
  const isLive = (publicKey: SubjectKey): boolean => live.some((one) => isSameKey(one, publicKey));
  return {
    isLive,
    holds: (publicKey) => isLive(publicKey) || certified.some((one) => isSameKey(one, publicKey)),
    isFile: ({ resolvedPath }) => files.has(resolvedPath),
  };
}

/** The files that hold certificates in use, without symlinks. */
export function certificatePaths({ certificates }: Inventory): string[] {
  return certificates.flatMap(({ state }) =>
    state.status === 'present' ? [state.value.file.resolvedPath] : [],
  );
}
