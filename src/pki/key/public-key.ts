import { createHash, createPublicKey, KeyObject, type X509Certificate } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import { encodeDer, partsOf, type Asn1 } from '../der/der.ts';
import { encodePem, noSuchBlock, pemBlocks, type PemBlock } from '../der/pem.ts';
import { foreignKind, keyKind } from './key-kind.ts';

/** The public key of a certificate: one that can be worked with, or a foreign one. */
export type SubjectKey = KeyObject | ForeignKey;

/**
 * A key of a kind that some runtime does not know (Bun's BoringSSL knows fewer than node's OpenSSL), nor does Go, nor any of our
 * own commands. Every runtime tells it apart from others and names its kind alike, and nothing is verified with it.
 */
export class ForeignKey {
  readonly name: string;
  /** DER of the SubjectPublicKeyInfo. */
  readonly info: Buffer;

  constructor(name: string, info: Buffer) {
    this.name = name;
    this.info = info;
  }
}

/**
 * @param info SubjectPublicKeyInfo
 * @param x509 the certificate it stands in: OpenSSL has read the key with that, and to read the key again would take it as long as
 * the whole certificate did
 * @throws KubepkiError bad-certificate
 */
export function subjectKey(info: Asn1, x509?: X509Certificate): SubjectKey {
  const [algorithm] = partsOf(info);
  const der = encodeDer(info);
  const foreign = foreignKind(keyKind(algorithm));
  if (foreign !== undefined) return new ForeignKey(foreign, der);
  try {
    return x509?.publicKey ?? createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (cause) {
    throw new KubepkiError('bad-certificate', 'does not hold a well-formed public key', { cause });
  }
}

/**
 * The only comparison of keys. Where the kinds of two keys differ, Node 20's `KeyObject.equals` leaves an error in OpenSSL's
 * queue, and the next private key that is parsed is refused for it.
 */
export function isSameKey(one: SubjectKey, other: SubjectKey): boolean {
  if (one instanceof ForeignKey) return other instanceof ForeignKey && one.info.equals(other.info);
  return other instanceof KeyObject && one.asymmetricKeyType === other.asymmetricKeyType && one.equals(other);
}

/** node's handle on a public key. */
export type PublicKey = KeyObject;

/** A SubjectPublicKeyInfo, `PUBLIC KEY`: what kubeadm writes to sa.pub. */
export function encodePublicKey(key: PublicKey): string {
  return key.export({ format: 'pem', type: 'spki' }).toString();
}

/**
 * The first public key of a PEM file. As the API server does for service-account keys, the private key or a certificate
 * will do as well.
 * @throws KubepkiError bad-key, bad-pem
 */
export function parsePublicKey(bytes: Uint8Array): PublicKey {
  return parsePublicKeys(bytes)[0];
}

/** All of them: the API server takes a token for good that any of these keys has signed. @throws as above */
export function parsePublicKeys(bytes: Uint8Array): readonly [PublicKey, ...PublicKey[]] {
  const [first, ...others] = pemBlocks(bytes).filter(
    ({ label }) => label.endsWith('PUBLIC KEY') || label.endsWith('PRIVATE KEY') || label === 'CERTIFICATE',
  );
  if (first === undefined) {
    throw noSuchBlock(
      'bad-key',
      bytes,
      'public key',
      'openssl pkey -pubin -inform der -in FILE -pubout -out FILE.pem',
    );
  }
  return [publicKey(first), ...others.map(publicKey)];
}

function publicKey({ label, der }: PemBlock): PublicKey {
  try {
    return createPublicKey(encodePem(label, der));
  } catch {
    // The cause is left out on purpose: an error must never carry a piece of a key.
    throw new KubepkiError('bad-key', 'does not hold a well-formed public key');
  }
}

/** SHA-256 of the SubjectPublicKeyInfo (RFC 5280, 4.1), hex: it tells a pair of keys from all others, and says nothing else. */
export function keyDigest(publicKey: PublicKey): string {
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

/** The same as kube-apiserver writes it into a token, its `kid` (pkg/serviceaccount/jwt.go, keyIDFromPublicKey). */
export function keyId(publicKey: PublicKey): string {
  return Buffer.from(keyDigest(publicKey), 'hex').toString('base64url');
}
