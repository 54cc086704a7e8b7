import { publicKeyOf } from '../../pki/key/private-key.ts';
import type { PublicKey } from '../../pki/key/public-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { nothingHere, type Look, type Trouble } from './check.ts';
import type { Observed } from './observed.ts';
import { troubleOf } from './trouble.ts';

const name = 'sa';
const hint =
  'put sa.key and sa.pub of this cluster in place, from a backup or another control-plane node: all nodes have the same';

/** A token that sa.key has signed is good only where its public key is known. */
export function isAPair({ serviceAccount: { key, publicKeys }, manifestFiles }: Observed): Look {
  const isNamed = manifestFiles.some(({ file }) => file.of === 'sa');
  const states = [publicKeys.content, ...(key === undefined ? [] : [key.content])];
  if (!isNamed && states.every(({ status }) => status === 'missing')) return nothingHere;
  const slots = [publicKeys, ...(key === undefined ? [] : [key])];
  const unread = slots.flatMap(({ target: { path }, content }): Trouble[] => {
    if (content.status === 'present') return [];
    return [
      content.status === 'unreadable'
        ? troubleOf(name, path, content.error, hint)
        : {
            grade: 'error',
            name,
            file: path,
            message: 'no such file: the service-account key is missing',
            hint,
          },
    ];
  });
  if (unread.length > 0 || key?.content.status !== 'present' || publicKeys.content.status !== 'present') {
    return { looked: 1, troubles: unread };
  }
  return {
    looked: 1,
    troubles: includesKey(publicKeys.content.value, publicKeyOf(key.content.value))
      ? []
      : [
          {
            grade: 'error',
            name,
            file: publicKeys.target.path,
            message: `is not the public key of ${key.target.path}: the API server refuses every token it signs`,
            hint,
          },
        ],
  };
}

export function includesKey(keys: readonly PublicKey[], wanted: PublicKey): boolean {
  return keys.some((one) => isSameKey(one, wanted));
}
