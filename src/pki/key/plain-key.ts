import type { Asn1 } from '../der/der.ts';
import { isOnCurve } from './curve.ts';
import { keyKind, type KeyKind } from './key-kind.ts';
import { isContentOf, isNull, isOid, partsIn, wholeBytes } from '../der/plain-der.ts';
import { readPlainDer } from '../der/read-plain-der.ts';

/** A JSON Web Key (RFC 7518, 6) of which node makes a key without fail. */
export type PlainKey =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256' | 'P-384'; readonly x: string; readonly y: string };

/**
 * The key of a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) that could not be written more plainly: RSA, or a point on P-256 or
 * P-384. Only its numbers: who looks when certificates end needs no key.
 * @returns undefined for any other
 */
export function plainKey(info: Asn1 | undefined): PlainKey | undefined {
  const parts = partsIn(info, 'sequence');
  const algorithm = partsIn(parts[0], 'sequence');
  const parameters = algorithm[1];
  const bytes = wholeBytes(parts[1]);
  const isPlain = parts.length === 2 && algorithm.length === 2 && isOid(algorithm[0]);
  if (!isPlain || parameters === undefined || bytes === undefined) return undefined;
  return jwkOf(keyKind(parts[0]), parameters, bytes);
}

function jwkOf(kind: KeyKind, parameters: Asn1, bytes: Buffer): PlainKey | undefined {
  switch (kind.type) {
    case 'rsa':
      return isNull(parameters) ? rsaJwk(bytes) : undefined;
    case 'ec':
      return ecJwk(kind.curve, bytes);
    case 'other':
      return undefined;
  }
}

/** RSAPublicKey (RFC 8017, A.1.1), of a size that is in use. */
function rsaJwk(bytes: Buffer): PlainKey | undefined {
  const numbers = partsIn(readPlainDer(bytes), 'sequence');
  const modulus = positive(numbers[0]);
  const exponent = positive(numbers[1]);
  if (modulus === undefined || exponent === undefined || numbers.length > 2) return undefined;
  // RFC 8017, 3.1: an exponent is 3 or more.
  const isUsual =
    modulus.length >= 128 &&
    modulus.length <= 1024 &&
    exponent.length <= 4 &&
    exponent.readUIntBE(0, exponent.length) > 1;
  return isUsual && isOdd(modulus) && isOdd(exponent)
    ? { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') }
    : undefined;
}

const coordinateLength = { 'P-256': 32, 'P-384': 48 } as const;

/** A point that is not compressed (SEC 1, 2.3.3). */
function ecJwk(curve: 'P-256' | 'P-384', point: Buffer): PlainKey | undefined {
  const length = coordinateLength[curve];
  if (point.length !== 1 + 2 * length || point[0] !== 4) return undefined;
  const x = point.subarray(1, 1 + length);
  const y = point.subarray(1 + length);
  if (!isOnCurve(curve, x, y)) return undefined;
  return { kty: 'EC', crv: curve, x: x.toString('base64url'), y: y.toString('base64url') };
}

function isOdd(number: Buffer): boolean {
  return ((number.at(-1) ?? 0) & 1) === 1;
}

/** The magnitude of an INTEGER above 0. */
function positive(value: Asn1 | undefined): Buffer | undefined {
  if (!isContentOf(value, 'integer')) return undefined;
  const bytes = Buffer.from(value.value, 'latin1');
  if (((bytes[0] ?? 0x80) & 0x80) !== 0) return undefined;
  const magnitude = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  return magnitude.length === 0 ? undefined : magnitude;
}
