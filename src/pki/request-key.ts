import { createPublicKey, type KeyObject } from 'node:crypto';
import { contentOf, encodeDer, isUniversal, malformed, partsOf, type Asn1 } from './der.ts';

/** The key of a request, told apart by what its SubjectPublicKeyInfo says, not by what a library makes of it. */
export type RequestKey =
  | { readonly kind: 'rsa'; readonly bits: number; readonly exponent: bigint; readonly publicKey: KeyObject }
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384'; readonly publicKey: KeyObject }
  /** Anything else; `name` as one reads it. */
  | { readonly kind: 'other'; readonly name: string };

// Content bytes of the OIDs, in hex. RFC 3279, 2.3.1; RFC 5480, 2.1; RFC 8410, 3.
const rsaEncryption = '2a864886f70d010101';
const ecPublicKey = '2a8648ce3d0201';
const curves: Readonly<Record<string, 'P-256' | 'P-384'>> = {
  '2a8648ce3d030107': 'P-256',
  '2b81040022': 'P-384',
};
const otherNames: Readonly<Record<string, string>> = {
  '2b81040023': 'ECDSA P-521',
  '2b8104000a': 'ECDSA secp256k1',
  '2b6570': 'Ed25519',
  '2b6571': 'Ed448',
  '2a864886f70d01010a': 'RSA-PSS',
  '2a8648ce380401': 'DSA',
};

/**
 * @param info SubjectPublicKeyInfo
 * @throws KubepkiError bad-certificate, or node's own error for a key whose numbers are wrong
 */
export function requestKey(info: Asn1): RequestKey {
  const [algorithm] = partsOf(info);
  if (!isUniversal(algorithm, 'sequence')) throw malformed();
  const [id, parameters] = partsOf(algorithm);
  if (!isUniversal(id, 'oid')) throw malformed();
  const algorithmId = contentOf(id).toString('hex');
  if (algorithmId === rsaEncryption) {
    const publicKey = publicKeyOf(info);
    const { modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {};
    return { kind: 'rsa', bits: modulusLength, exponent: publicExponent, publicKey };
  }
  if (algorithmId !== ecPublicKey) return other(algorithmId);
  // Curves spelled out in numbers, which openssl would recognise, Go does not read.
  if (!isUniversal(parameters, 'oid')) return { kind: 'other', name: 'ECDSA with explicit parameters' };
  const curveId = contentOf(parameters).toString('hex');
  const curve = curves[curveId];
  return curve === undefined ? other(curveId) : { kind: 'ec', curve, publicKey: publicKeyOf(info) };
}

/** `RSA 2048`, `ECDSA P-256`, or what else it is. */
export function describeKey(key: RequestKey): string {
  if (key.kind === 'rsa') return `RSA ${String(key.bits)}`;
  return key.kind === 'ec' ? `ECDSA ${key.curve}` : key.name;
}

function other(id: string): RequestKey {
  return { kind: 'other', name: otherNames[id] ?? `key of kind ${id}` };
}

function publicKeyOf(info: Asn1): KeyObject {
  return createPublicKey({ key: encodeDer(info), format: 'der', type: 'spki' });
}
