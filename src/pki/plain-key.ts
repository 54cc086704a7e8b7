import { createPublicKey, type KeyObject } from 'node:crypto';
import { parseDer, type Asn1 } from './der.ts';
import { keyKind, type KeyKind } from './key-kind.ts';
import { isContentOf, isNull, isOid, partsIn, wholeBytes } from './plain-der.ts';

/**
 * The key of a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) that could not be written more plainly: RSA, or a point on P-256 or
 * P-384. OpenSSL makes it, and so checks what there is to check, from its numbers.
 * @returns undefined for any other
 */
export function plainKey(info: Asn1 | undefined): KeyObject | undefined {
  const [algorithm, bits, ...more] = partsIn(info, 'sequence');
  const bytes = wholeBytes(bits);
  if (algorithm === undefined || bytes === undefined || more.length > 0) return undefined;
  const [id, parameters, ...rest] = partsIn(algorithm, 'sequence');
  if (!isOid(id) || parameters === undefined || rest.length > 0) return undefined;
  try {
    const jwk = jwkOf(keyKind(algorithm), parameters, bytes);
    return jwk && createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // No DER, or a point beside its curve. What is wrong is for the other parser to tell.
    return undefined;
  }
}

function jwkOf(kind: KeyKind, parameters: Asn1, bytes: Buffer): Record<string, string> | undefined {
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
function rsaJwk(bytes: Buffer): Record<string, string> | undefined {
  const [n, e, ...more] = partsIn(parseDer(bytes), 'sequence');
  const modulus = positive(n);
  const exponent = positive(e);
  if (modulus === undefined || exponent === undefined || more.length > 0) return undefined;
  const isUsual = modulus.length >= 128 && modulus.length <= 1024 && exponent.length <= 4;
  const isOdd = [modulus, exponent].every((number) => ((number.at(-1) ?? 0) & 1) === 1);
  return isUsual && isOdd
    ? { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') }
    : undefined;
}

const coordinateLength = { 'P-256': 32, 'P-384': 48 } as const;

/** A point that is not compressed (SEC 1, 2.3.3). */
function ecJwk(curve: 'P-256' | 'P-384', point: Buffer): Record<string, string> | undefined {
  const length = coordinateLength[curve];
  if (point.length !== 1 + 2 * length || point[0] !== 4) return undefined;
  const [x, y] = [point.subarray(1, 1 + length), point.subarray(1 + length)];
  return { kty: 'EC', crv: curve, x: x.toString('base64url'), y: y.toString('base64url') };
}

/** The magnitude of an INTEGER above 0. */
function positive(value: Asn1 | undefined): Buffer | undefined {
  if (!isContentOf(value, 'integer')) return undefined;
  const bytes = Buffer.from(value.value, 'latin1');
  if (((bytes[0] ?? 0x80) & 0x80) !== 0) return undefined;
  const magnitude = bytes[0] === 0 ? bytes.subarray(1) : bytes;
  return magnitude.length === 0 ? undefined : magnitude;
}
