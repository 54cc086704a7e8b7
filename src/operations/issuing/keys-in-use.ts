import type { FileTarget } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey, type SubjectKey } from '../../pki/key/public-key.ts';

/** The keys of the certificates in use, and the files that hold them. */
export interface KeysInUse {
  /** The private key lies in its place. */
  readonly isLive: (publicKey: SubjectKey) => boolean;
  /** The same, or a certificate in use belongs to it though its own key is not in place: never to be lost. */
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
