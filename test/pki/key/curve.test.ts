import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, test } from 'node:test';
import { isOnCurve } from '../../../src/pki/key/curve.ts';

const lengths = { 'P-256': 32, 'P-384': 48 } as const;
type Name = keyof typeof lengths;

/** Does OpenSSL make a key of it? */
function isKey(crv: Name, x: Buffer, y: Buffer): boolean {
  try {
    createPublicKey({
      key: { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url') },
      format: 'jwk',
    });
    return true;
  } catch {
    return false;
  }
}

function pointOf(crv: Name): { x: Buffer; y: Buffer } {
  const { x = '', y = '' } = generateKeyPairSync('ec', { namedCurve: crv }).publicKey.export({
    format: 'jwk',
  });
  return { x: Buffer.from(x, 'base64url'), y: Buffer.from(y, 'base64url') };
}

describe('a point on a curve', () => {
  for (const crv of ['P-256', 'P-384'] as const) {
    test(`${crv}: a key is one, and its neighbours are as OpenSSL has it`, () => {
      for (let round = 0; round < 50; round += 1) {
        const { x, y } = pointOf(crv);
        assert.equal(isOnCurve(crv, x, y), true);
        assert.equal(isOnCurve(crv, y, x), isKey(crv, y, x));
        for (const bytes of [x, y]) {
          const index = round % bytes.length;
          bytes[index] = (bytes[index] ?? 0) ^ (1 << (round % 8));
          assert.equal(isOnCurve(crv, x, y), isKey(crv, x, y));
          assert.equal(isOnCurve(crv, x, y), false);
          bytes[index] ^= 1 << (round % 8);
        }
      }
    });

    test(`${crv}: the same point with a coordinate beyond the field is none`, () => {
      const prime = {
        'P-256': 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n,
        'P-384': 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n,
      }[crv];
      const size = lengths[crv];
      const bytes = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex');
      // A point whose x is so small that x + p still fits: its y is a square root of x^3 - 3x + b.
      const found = smallPoint(crv, prime, bytes);
      assert.equal(isOnCurve(crv, bytes(found.x), bytes(found.y)), true);
      assert.equal(isKey(crv, bytes(found.x), bytes(found.y)), true);
      assert.equal(isOnCurve(crv, bytes(found.x + prime), bytes(found.y)), false);
      assert.equal(isKey(crv, bytes(found.x + prime), bytes(found.y)), false);
    });

    test(`${crv}: nothing but zeros, or ones, is none`, () => {
      for (const byte of [0, 0xff]) {
        const bytes = Buffer.alloc(lengths[crv], byte);
        assert.equal(isOnCurve(crv, bytes, bytes), false);
        assert.equal(isKey(crv, bytes, bytes), false);
      }
    });
  }
});

function smallPoint(crv: Name, p: bigint, bytes: (value: bigint) => Buffer): { x: bigint; y: bigint } {
  // b from a point that OpenSSL made: the curve's constant is not taken from the code that is tested.
  const known = pointOf(crv);
  const [x0, y0] = [known.x, known.y].map((one) => BigInt(`0x${one.toString('hex')}`));
  assert.ok(x0 !== undefined && y0 !== undefined);
  const b = (((y0 * y0 - x0 * x0 * x0 + 3n * x0) % p) + p) % p;
  for (let x = 1n; ; x += 1n) {
    const square = (((x * x * x - 3n * x + b) % p) + p) % p;
    // p is 3 modulo 4.
    const y = power(square, (p + 1n) / 4n, p);
    if ((y * y) % p === square && isKey(crv, bytes(x), bytes(y))) return { x, y };
  }
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let [square, left] = [base, exponent]; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
