import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generateKeys } from '../../src/change/generate-keys.ts';
import { algorithmOf, type KeyAlgorithm } from '../../src/pki/key/private-key.ts';
import { collecting } from '../support/collecting.ts';

test('each key is used as it arrives, while others are still being generated; the order is that of the items', async () => {
  const slow: KeyAlgorithm = { type: 'rsa', bits: 4096 };
  const quick: KeyAlgorithm = { type: 'ec', curve: 'P-256' };
  const arrived: KeyAlgorithm[] = [];
  const made = await generateKeys(
    [slow, quick, quick],
    (algorithm) => algorithm,
    (algorithm, key) => {
      arrived.push(algorithm);
      return [algorithm, algorithmOf(key)] as const;
    },
    collecting().open(),
  );
  assert.deepEqual(arrived, [quick, quick, slow]);
  assert.deepEqual(made, [
    [slow, slow],
    [quick, quick],
    [quick, quick],
  ]);
});

test('an error of one is the error of all', async () => {
  const quick: KeyAlgorithm = { type: 'ec', curve: 'P-256' };
  const wrong = new Error('not this one');
  await assert.rejects(
    generateKeys(
      [quick, quick],
      (algorithm) => algorithm,
      () => {
        throw wrong;
      },
      collecting().open(),
    ),
    wrong,
  );
});
