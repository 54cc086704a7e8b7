import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { parseDer } from '../../../src/pki/der/der.ts';
import { plainKey, type PlainKey } from '../../../src/pki/key/plain-key.ts';

/** As OpenSSL writes it. */
function read(jwk: PlainKey): PlainKey | undefined {
  return plainKey(
    parseDer(createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'der' })),
  );
}

describe('a plain key', () => {
  const { n = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
  for (const [exponent, isPlain] of [
    ['01', false],
    ['03', true],
    ['010001', true],
    ['ffffffff', true],
    ['0100000001', false],
  ] as const) {
    test(`RSA with the exponent 0x${exponent}: ${isPlain ? 'the same numbers' : 'another parser may judge it'}`, () => {
      const jwk = { kty: 'RSA', n, e: Buffer.from(exponent, 'hex').toString('base64url') } as const;
      assert.deepEqual(read(jwk), isPlain ? jwk : undefined);
    });
  }

  for (const [bits, isPlain] of [
    [512, false],
    [1024, true],
    [8192, true],
    [8200, false],
  ] as const) {
    test(`RSA of ${String(bits)} bits: ${isPlain ? 'the same numbers' : 'not of a size that is in use'}`, () => {
      const modulus = Buffer.alloc(bits / 8, 0xc5);
      const jwk = { kty: 'RSA', n: modulus.toString('base64url'), e: 'AQAB' } as const;
      assert.deepEqual(read(jwk), isPlain ? jwk : undefined);
    });
  }

  for (const crv of ['P-256', 'P-384'] as const) {
    test(`a point on ${crv}: the same numbers`, () => {
      const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: crv }).publicKey.export({
        format: 'jwk',
      });
      const jwk = { kty: 'EC', crv, x, y } as const;
      assert.deepEqual(read(jwk), jwk);
    });
  }
});
