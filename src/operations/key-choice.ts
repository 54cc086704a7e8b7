import type { EncryptionAlgorithm } from '../config/kubeadm-config.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Certificate } from '../pki/certificate.ts';
import { algorithmOf, describeAlgorithm, type KeyAlgorithm } from '../pki/private-key.ts';

const configured: Readonly<Record<EncryptionAlgorithm, KeyAlgorithm>> = {
  'RSA-2048': { type: 'rsa', bits: 2048 },
  'RSA-3072': { type: 'rsa', bits: 3072 },
  'RSA-4096': { type: 'rsa', bits: 4096 },
  'ECDSA-P256': { type: 'ec', curve: 'P-256' },
  'ECDSA-P384': { type: 'ec', curve: 'P-384' },
};

/** kubeadm's default for keys that have no predecessor is RSA-2048. */
export function chooseConfigured(named: EncryptionAlgorithm | undefined): KeyAlgorithm {
  return configured[named ?? 'RSA-2048'];
}

export interface KeyChoice {
  readonly algorithm: KeyAlgorithm;
  readonly warning: string | undefined;
}

/**
 * The configuration given on the command line decides where it names an algorithm (kubeadm does so always); otherwise
 * the certificate's own is kept.
 * @param file to name in an error
 * @throws KubepkiError unsupported-key when the old key is of a kind that kubeadm cannot make
 */
export function chooseKey(old: Certificate, named: EncryptionAlgorithm | undefined, file: string): KeyChoice {
  if (named !== undefined) return { algorithm: configured[named], warning: undefined };
  const found = algorithmOf(old.publicKey);
  if (found.type === 'other') {
    throw new KubepkiError(
      'unsupported-key',
      `has a key of the kind ${describeAlgorithm(found)}, which kubeadm cannot make`,
      {
        file,
        hint: 'name the algorithm of the new key with encryptionAlgorithm in a kubeadm configuration and give it with --config',
      },
    );
  }
  if (found.type === 'ec') return { algorithm: found, warning: undefined };
  const bits = Math.min(Math.max(found.bits, 2048), 4096);
  return {
    algorithm: { type: 'rsa', bits },
    warning:
      bits === found.bits
        ? undefined
        : `the new key is RSA-${String(bits)}, the old one was RSA-${String(found.bits)}`,
  };
}
