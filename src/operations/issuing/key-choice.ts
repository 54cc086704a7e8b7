import type { EncryptionAlgorithm } from '../../config/kubeadm-config.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { algorithmOf, describeAlgorithm, type KeyAlgorithm } from '../../pki/key/private-key.ts';

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

interface KeyChoice {
  readonly algorithm: KeyAlgorithm;
  readonly warning: string | undefined;
}

/** An algorithm that a configuration names, and the source of that configuration. */
export interface NamedAlgorithm {
  readonly name: EncryptionAlgorithm;
  readonly from: 'command-line' | 'cluster';
}

/**
 * Where the configuration of the command line names an algorithm, it decides (for kubeadm every configuration does). Otherwise
 * the certificate keeps its own, unless the cluster's configuration names a stronger one: kubeadm writes RSA-2048 into every
 * v1beta4 ConfigMap, also where the keys of that cluster are others.
 * @param file the certificate's, for an error
 * @throws KubepkiError unsupported-key when the old key is of a kind that kubeadm cannot make
 */
export function chooseKey(
  old: Pick<Certificate, 'publicKey'>,
  named: NamedAlgorithm | undefined,
  file: string,
): KeyChoice {
  if (named?.from === 'command-line') return { algorithm: configured[named.name], warning: undefined };
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
  const own = ownKey(found);
  if (named === undefined || strength(configured[named.name]) <= strength(own.algorithm)) return own;
  return {
    algorithm: configured[named.name],
    warning: `the new key is ${named.name}, as the cluster's configuration says, the old one was ${describeAlgorithm(found)}`,
  };
}

function ownKey(found: KeyAlgorithm): KeyChoice {
  if (found.type === 'ec') return { algorithm: found, warning: undefined };
  const bits = Math.min(Math.max(found.bits, 2048), 4096);
  const warning = `the new key is RSA-${String(bits)}, the old one was RSA-${String(found.bits)}`;
  return { algorithm: { type: 'rsa', bits }, warning: bits === found.bits ? undefined : warning };
}

/** The bits of security: NIST SP 800-57, part 1, table 2, and for RSA-4096 FIPS 140-2's guidance 7.5. */
function strength(algorithm: KeyAlgorithm): number {
  if (algorithm.type === 'ec') return algorithm.curve === 'P-384' ? 192 : 128;
  if (algorithm.bits < 3072) return 112;
  return algorithm.bits < 4096 ? 128 : 152;
}
