import { createPublicKey, type KeyObject } from 'node:crypto';
import { KubepkiError } from '../../errors/error.ts';
import { encodePem, noSuchBlock, pemBlocks, type PemBlock } from '../der/pem.ts';

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
