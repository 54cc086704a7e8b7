import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ChangeSet } from '../../../src/changeset/change-set.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { wayBack } from '../../../src/operations/token-key/way-back.ts';
import { keyId } from '../../../src/pki/key/public-key.ts';
import { publicKeyOf } from '../../../src/pki/key/private-key.ts';
import { keys, privatePem, publicPem, tokenKeyFiles, type Mix } from '../../support/planners/token-keys.ts';

const none = { key: 'A', pub: 'A' };
const trust = { key: 'A', pub: 'AB', next: 'B' };
const switched = { key: 'B', pub: 'BA', old: 'A' };
const finished = { key: 'B', pub: 'B', old: 'A' };

/** What a rollback would change: from the files of now to those of then. */
function changes(now: Mix, then: Mix): ChangeSet {
  const files = tokenKeyFiles(now);
  const one = (slot: (typeof files)[keyof typeof files], was: string, is: string, text: string): ChangeSet =>
    was === is
      ? []
      : [
          {
            target: slot.target,
            after: is === '' ? undefined : { content: Buffer.from(text), mode: 0o600, owner: undefined },
          },
        ];
  const pem = (letter = ''): string => (letter === '' ? '' : privatePem(letter));
  return [
    ...one(files.key, now.key, then.key, pem(then.key)),
    ...one(files.publicKeys, now.pub, then.pub, publicPem(then.pub)),
    ...one(files.next, now.next ?? '', then.next ?? '', pem(then.next)),
    ...one(files.old, now.old ?? '', then.old ?? '', pem(then.old)),
  ];
}

function back(now: Mix, then: Mix): unknown {
  try {
    const found = wayBack(changes(now, then), tokenKeyFiles(now));
    return found && { files: found.allowed.size, signsAgain: found.signsAgain, dropped: found.dropped };
  } catch (error) {
    if (error instanceof KubepkiError) return error.code;
    throw error;
  }
}

const idOf = (letter: 'A' | 'B'): string => keyId(publicKeyOf(keys[letter]));

describe('a rollback', () => {
  for (const [what, now, then, expected] of [
    ['of switch', switched, trust, { files: 4, signsAgain: idOf('A'), dropped: [] }],
    ['of finish', finished, switched, { files: 1, signsAgain: undefined, dropped: [] }],
    ['of trust', trust, none, { files: 2, signsAgain: undefined, dropped: [idOf('B')] }],
    ['of nothing', none, none, undefined],
    ['that redoes trust', none, trust, { files: 2, signsAgain: undefined, dropped: [] }],
    ['that redoes switch', trust, switched, { files: 4, signsAgain: idOf('B'), dropped: [] }],
    [
      'over two stages: tokens of the old key would be refused on every other node',
      finished,
      trust,
      'conflict',
    ],
    ['over two stages: tokens of this node would be refused', switched, none, 'conflict'],
    ['of a pair that no stage of ours has made', { key: 'B', pub: 'B' }, none, undefined],
    ['of a pair that was made where none was', none, { key: '', pub: '' }, undefined],
  ] as const) {
    test(what, () => {
      assert.deepEqual(back(now, then), expected);
    });
  }
});
