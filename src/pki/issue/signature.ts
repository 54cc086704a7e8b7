import { sign, verify, type KeyObject } from 'node:crypto';
import { oid, primitive, sequence, type Asn1 } from '../der/der.ts';

interface SignatureAlgorithm {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** AlgorithmIdentifier */
  readonly identifier: Asn1;
}

// The curves that Go has, by OpenSSL's names. kubeadm signs with any ECDSA key that Go reads, and the hash is Go's choice for
// the curve (crypto/x509, signingParamsForKey). RFC 5758, 3.2: no parameters.
const ecdsa: Readonly<Record<string, { readonly hash: SignatureAlgorithm['hash']; readonly id: string }>> = {
  secp224r1: { hash: 'sha256', id: '1.2.840.10045.4.3.2' },
  prime256v1: { hash: 'sha256', id: '1.2.840.10045.4.3.2' },
  secp384r1: { hash: 'sha384', id: '1.2.840.10045.4.3.3' },
  secp521r1: { hash: 'sha512', id: '1.2.840.10045.4.3.4' },
};

/** Whether Kubernetes verifies what such a key signs: RSA of any size, or ECDSA on a curve that Go has. */
export function isSigningKey(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' || curveOf(key) !== undefined;
}

/** @throws TypeError for a key that is no {@link isSigningKey} */
export function signatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'rsa') {
    // RFC 3279, 2.2.1 and RFC 4055, 5: NULL parameters.
    const sha256WithRsa = sequence([oid('1.2.840.113549.1.1.11'), primitive('null', Buffer.alloc(0))]);
    return { hash: 'sha256', identifier: sha256WithRsa };
  }
  const curve = curveOf(key);
  if (curve === undefined) throw new TypeError('a key that signs nothing');
  return { hash: curve.hash, identifier: sequence([oid(curve.id)]) };
}

function curveOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): (typeof ecdsa)[string] | undefined {
  return asymmetricKeyType === 'ec' ? ecdsa[asymmetricKeyDetails?.namedCurve ?? ''] : undefined;
}

/** Content as a BIT STRING. ECDSA: node signs in DER form by default, which is what X.509 holds (RFC 3279, 2.2.3). */
export function signatureOf(content: Buffer, key: KeyObject): Asn1 {
  return bitString(sign(signatureAlgorithm(key).hash, content, key));
}

/** Whether a signature that {@link signatureOf} makes is the key's. */
export function isSignedBy(content: Buffer, signature: Buffer, publicKey: KeyObject): boolean {
  return verify(signatureAlgorithm(publicKey).hash, content, publicKey, signature);
}

function bitString(content: Buffer): Asn1 {
  return primitive('bitString', Buffer.concat([Buffer.from([0]), content]));
}
