import { createPublicKey, KeyObject, type X509Certificate } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import { encodeDer, partsOf, type Asn1 } from '../der/der.ts';
import { foreignKind, keyKind } from './key-kind.ts';

/** The public key of a certificate: one that can be worked with, or a foreign one. */
export type SubjectKey = KeyObject | ForeignKey;

/**
 * Of a kind that some runtime does not know (Bun's BoringSSL has fewer than node's OpenSSL), nor Go, nor any of our own
 * commands. It is told apart from others, and its kind is named: everywhere the same. Nothing is verified with it.
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
 * @param x509 the certificate it stands in: OpenSSL has read the key with that, and would take as long as for all of it to
 * read it again
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
 * The only comparison of keys. Node 20's `KeyObject.equals` of keys of two kinds leaves an error in OpenSSL's queue, for which
 * the next private key that is parsed is refused.
 */
export function isSameKey(one: SubjectKey, other: SubjectKey): boolean {
  if (one instanceof ForeignKey) return other instanceof ForeignKey && one.info.equals(other.info);
  return other instanceof KeyObject && one.asymmetricKeyType === other.asymmetricKeyType && one.equals(other);
}
