import { KubepkiError } from '../../errors/error.ts';
import type { Slot } from '../../inventory/reading.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey, keyId, type PublicKey } from '../../pki/key/public-key.ts';

/** The stages of a replacement of the service-account key, in their order. Any two neighbours work together in one cluster. */
export const tokenKeyStages = ['trust', 'switch', 'finish'] as const;

export type TokenKeyStage = (typeof tokenKeyStages)[number];

/** The files that say where a node is. */
export interface TokenKeyFiles {
  /** sa.key */
  readonly key: Slot<PrivateKey>;
  /** sa.pub: the API server takes a token for good that any of them has signed, and kubeadm takes the first for the only one. */
  readonly publicKeys: Slot<readonly PublicKey[]>;
  /** In the state directory, before the switch: the key that will sign. */
  readonly next: Slot<PrivateKey>;
  /** In the state directory, after the switch: the key that signed before, until it is destroyed. */
  readonly old: Slot<PrivateKey>;
}

/**
 * Where a node is. It is computed from what the files hold, and stored nowhere:
 *
 * | | sa.key | sa.pub | next.key | old.key |
 * | --- | --- | --- | --- | --- |
 * | `none` | signs | signs | | |
 * | `trust` | signs | signs, next | next | |
 * | `switch` | signs | signs, old | | old |
 * | `finish` | signs | signs | | old |
 */
export interface TokenKeyState {
  /** `none`: no replacement is under way. */
  readonly stage: TokenKeyStage | 'none';
  /** The key of sa.key. */
  readonly signing: PublicKey;
  /** Those of sa.pub, in its order. */
  readonly known: readonly PublicKey[];
  /** Also at `none`, where sa.pub was written anew by other hands since. */
  readonly next: PrivateKey | undefined;
  readonly old: PrivateKey | undefined;
}

const together =
  'put sa.key and sa.pub of this cluster in place, from a backup or another control-plane node: all nodes have the same';

/** @throws KubepkiError where files are missing, cannot be read, or contradict each other */
export function tokenKeyState({ key, publicKeys, next, old }: TokenKeyFiles): TokenKeyState {
  const signing = publicKeyOf(present(key));
  const known = present(publicKeys);
  const found = { signing, known, next: held(next), old: held(old) };
  if (!isAmong(known, signing)) {
    throw new KubepkiError('conflict', `does not hold the key of ${key.target.path}`, {
      file: publicKeys.target.path,
      hint: together,
    });
  }
  if (found.next !== undefined && found.old !== undefined) {
    throw new KubepkiError(
      'conflict',
      `is there, and ${old.target.path} too: a node is before the switch or after it`,
      {
        file: next.target.path,
        hint: 'compare both with sa.key (openssl pkey -in FILE -pubout), and move the one away that belongs to no node any more',
      },
    );
  }
  if (found.next !== undefined) {
    const nextKey = publicKeyOf(found.next);
    if (isSameKey(nextKey, signing)) {
      throw new KubepkiError(
        'conflict',
        'was made the next key by other hands, so that the one before is not known',
        {
          file: key.target.path,
          hint: 'put the sa.key from before in its place (a node that has switched has it as .kubepki/token-key/old.key), then: kubepki sa rotate switch',
        },
      );
    }
    return { ...found, stage: isAmong(known, nextKey) ? 'trust' : 'none' };
  }
  if (found.old !== undefined) {
    const oldKey = publicKeyOf(found.old);
    if (isSameKey(oldKey, signing)) {
      throw new KubepkiError('conflict', 'was made the old key again by other hands', {
        file: key.target.path,
        hint: 'to go back in order, put the sa.key of another node that has switched in its place, then: kubepki certs rollback',
      });
    }
    return { ...found, stage: isAmong(known, oldKey) ? 'switch' : 'finish' };
  }
  return { ...found, stage: 'none' };
}

export function isAmong(keys: readonly PublicKey[], wanted: PublicKey): boolean {
  return keys.some((one) => isSameKey(one, wanted));
}

/** Without those that stand there before. */
export function distinct(keys: readonly PublicKey[]): PublicKey[] {
  return [...new Map(keys.map((key) => [keyId(key), key] as const)).values()];
}

function present<T>({ target, content }: Slot<T>): T {
  switch (content.status) {
    case 'present':
      return content.value;
    case 'unreadable':
      throw content.error;
    case 'missing':
      throw new KubepkiError('not-found', 'no such file: the service-account key is missing', {
        file: target.path,
        hint: together,
      });
  }
}

function held(slot: Slot<PrivateKey>): PrivateKey | undefined {
  return slot.content.status === 'missing' ? undefined : present(slot);
}
