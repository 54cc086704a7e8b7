import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { certificates } from '../../../src/catalog/catalog.ts';
import type { FileTarget } from '../../../src/changeset/change-set.ts';
import { requireOwnKey } from '../../../src/operations/owners/key-owner.ts';
import { keyDigest } from '../../../src/pki/key/public-key.ts';
import { parsePrivateKey, publicKeyOf } from '../../../src/pki/key/private-key.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const key = parsePrivateKey(Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })));
const digest = keyDigest(publicKeyOf(key));

function fileOf(uid: number): FileTarget {
  const before = { sha256: '', mode: 0o600, uid, gid: 0, foreign: uid !== 0, links: 1 };
  return { path: '/csr/apiserver.key', resolvedPath: '/csr/apiserver.key', before };
}

interface Case {
  readonly isInReach: boolean;
  readonly keyOf?: number;
  readonly targetsOf?: readonly number[];
  readonly requested?: readonly { readonly name: string; readonly digest: string }[];
}

function isTaken({ isInReach, keyOf = 0, targetsOf = [0], requested = [] }: Case): boolean {
  const [spec] = certificates.filter(({ name }) => name === 'apiserver');
  assert.ok(spec);
  try {
    requireOwnKey(spec, { key, keyFile: fileOf(keyOf), isInReach }, targetsOf.map(fileOf), {
      requestedKeys: requested,
      command: (text) => text,
    });
    return true;
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'no-permission');
    return false;
  }
}

describe('whose key is put into use', () => {
  const table: readonly (readonly [what: string, one: Case, taken: boolean])[] = [
    ['one that nobody else could have put there', { isInReach: false }, true],
    ['one that another user could have put there', { isInReach: true }, false],
    ['one of another user', { isInReach: true, keyOf: 1000 }, false],
    ['one that was made here', { isInReach: true, requested: [{ name: 'apiserver', digest }] }, true],
    [
      'one that was made here for another certificate',
      { isInReach: true, requested: [{ name: 'admin.conf', digest }] },
      false,
    ],
    [
      'another one than was made here',
      { isInReach: true, requested: [{ name: 'apiserver', digest: digest.replace(/^./, 'x') }] },
      false,
    ],
    ["another user's for files of the same user", { isInReach: true, keyOf: 1000, targetsOf: [1000] }, true],
    ["another user's for files of several", { isInReach: true, keyOf: 1000, targetsOf: [1000, 0] }, false],
    ["another user's for no file", { isInReach: true, keyOf: 1000, targetsOf: [] }, false],
  ];
  for (const [what, one, taken] of table) {
    test(`${what}: ${taken ? 'taken' : 'refused'}`, () => {
      assert.equal(isTaken(one), taken);
    });
  }
});
