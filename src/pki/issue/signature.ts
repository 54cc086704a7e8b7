import { sign, verify, type KeyObject } from 'node:crypto';
import { bitString, oid, primitive, sequence, type Asn1 } from '../der/der.ts';
import { signatureAlgorithms } from './signature-algorithm.ts';

// The curves that Go has, by OpenSSL's names. kubeadm signs with any ECDSA key that Go reads, and the hash is Go's choice for
// the curve (crypto/x509, signingParamsForKey).
const curveHashes: Readonly<Record<string, string>> = {
  secp224r1: 'sha256',
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** Whether Kubernetes verifies what such a key signs: RSA of any size, or ECDSA on a curve that Go has. */
export function isSigningKey(key: KeyObject): boolean {
  return hashFor(key) !== undefined;
}

/** @throws TypeError for a key that is no {@link isSigningKey} */
export function signatureAlgorithm(key: KeyObject): { readonly hash: string; readonly identifier: Asn1 } {
  const wanted = hashFor(key);
  const found = signatureAlgorithms.find(
    ({ kind, hash }) => kind === key.asymmetricKeyType && hash === wanted,
  );
  if (found === undefined) throw new TypeError('a key that signs nothing');
  // RSA has NULL for its parameters (RFC 3279, 2.2.1; RFC 4055, 5), ECDSA none (RFC 5758, 3.2).
  const parameters = found.kind === 'rsa' ? [primitive('null', Buffer.alloc(0))] : [];
  return { hash: found.hash, identifier: sequence([oid(found.id), ...parameters]) };
}

function hashFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined {
  if (asymmetricKeyType === 'rsa') return 'sha256';
  return asymmetricKeyType === 'ec' ? curveHashes[asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
}

/** Content as a BIT STRING. ECDSA: node signs in DER form by default, which is what X.509 holds (RFC 3279, 2.2.3). */
export function signatureOf(content: Buffer, key: KeyObject): Asn1 {
  return bitString(sign(signatureAlgorithm(key).hash, content, key));
}

/** Whether a signature that {@link signatureOf} makes is the key's. */
export function isSignedBy(content: Buffer, signature: Buffer, publicKey: KeyObject): boolean {
  return verify(signatureAlgorithm(publicKey).hash, content, publicKey, signature);
}
