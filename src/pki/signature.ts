import { sign, verify, type KeyObject } from 'node:crypto';
import { oid, primitive, sequence, type Asn1 } from './der.ts';

export interface SignatureAlgorithm {
  readonly hash: 'sha256' | 'sha384';
  /** AlgorithmIdentifier */
  readonly identifier: Asn1;
}

// RFC 3279, 2.2.1 and RFC 4055, 5: an RSA identifier has NULL parameters; RFC 5758, 3.2: an ECDSA one has none.
// Hashes are Go's (and so kubeadm's) choice for the key: SHA-384 with P-384.
export function signatureAlgorithm(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'rsa') {
    const sha256WithRsa = sequence([oid('1.2.840.113549.1.1.11'), primitive('null', Buffer.alloc(0))]);
    return { hash: 'sha256', identifier: sha256WithRsa };
  }
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { hash: 'sha384', identifier: sequence([oid('1.2.840.10045.4.3.3')]) }
    : { hash: 'sha256', identifier: sequence([oid('1.2.840.10045.4.3.2')]) };
}

/** Content as a BIT STRING. ECDSA: node signs in DER form by default, which is what X.509 holds (RFC 3279, 2.2.3). */
export function signatureOf(content: Buffer, key: KeyObject): Asn1 {
  return bitString(sign(signatureAlgorithm(key).hash, content, key));
}

/** Whether a signature that {@link signatureOf} makes is the key's. */
export function isSignedBy(content: Buffer, signature: Buffer, publicKey: KeyObject): boolean {
  return verify(signatureAlgorithm(publicKey).hash, content, publicKey, signature);
}

export function bitString(content: Buffer): Asn1 {
  return primitive('bitString', Buffer.concat([Buffer.from([0]), content]));
}
