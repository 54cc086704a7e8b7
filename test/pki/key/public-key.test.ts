import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { encodePrivateKey, parsePrivateKey } from '../../../src/pki/key/private-key.ts';
import { ForeignKey, isSameKey } from '../../../src/pki/key/public-key.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const otherCurve = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const info = Buffer.from('3000', 'hex');

describe('two keys', () => {
  const keys = {
    'P-256': ec.publicKey,
    'P-384': otherCurve.publicKey,
    RSA: rsa.publicKey,
    foreign: new ForeignKey('Ed25519', info),
  };
  const pem = Buffer.from(encodePrivateKey(ec.privateKey));
  for (const [name, one] of Object.entries(keys)) {
    for (const [otherName, other] of Object.entries(keys)) {
      // OpenSSL's queue of errors is the process's: the comparison of two kinds has left one there for the next reader.
      test(`${name} and ${otherName} are ${name === otherName ? 'the same' : 'not the same'}, and a key can be read afterwards`, () => {
        assert.equal(isSameKey(one, other), name === otherName);
        assert.ok(parsePrivateKey(pem).equals(ec.privateKey));
      });
    }
  }

  test('of one kind are two where their numbers differ', () => {
    assert.ok(!isSameKey(ec.publicKey, generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey));
    assert.ok(!isSameKey(keys.foreign, new ForeignKey('Ed25519', Buffer.from('3001', 'hex'))));
  });
});
