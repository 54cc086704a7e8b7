import { createPublicKey, type KeyObject } from 'node:crypto';
import { encodeDer, partsOf, type Asn1 } from '../der/der.ts';
import { keyKind } from '../key/key-kind.ts';

/** The key of a request, told apart by what its SubjectPublicKeyInfo says, not by what a library makes of it. */
export type RequestKey =
  | { readonly kind: 'rsa'; readonly bits: number; readonly exponent: bigint; readonly publicKey: KeyObject }
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384'; readonly publicKey: KeyObject }
  /** Anything else; `name` as one reads it. */
  | { readonly kind: 'other'; readonly name: string };

/**
 * @param info SubjectPublicKeyInfo
 * @throws KubepkiError bad-certificate, or node's own error for a key whose numbers are wrong
 */
export function requestKey(info: Asn1): RequestKey {
  const [algorithm] = partsOf(info);
  const kind = keyKind(algorithm);
  if (kind.type === 'other') return { kind: 'other', name: kind.name };
  const publicKey = createPublicKey({ key: encodeDer(info), format: 'der', type: 'spki' });
  if (kind.type === 'ec') return { kind: 'ec', curve: kind.curve, publicKey };
  const { modulusLength = 0, publicExponent = 0n } = publicKey.asymmetricKeyDetails ?? {};
  return { kind: 'rsa', bits: modulusLength, exponent: publicExponent, publicKey };
}

/** `RSA 2048`, `ECDSA P-256`, or what else it is. */
export function describeKey(key: RequestKey): string {
  if (key.kind === 'rsa') return `RSA ${String(key.bits)}`;
  return key.kind === 'ec' ? `ECDSA ${key.curve}` : key.name;
}
