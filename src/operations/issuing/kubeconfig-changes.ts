import { replaceFile, type FileChange, type FileTarget } from '../../changeset/change-set.ts';
import { naming } from '../../errors/error.ts';
import type { PartialKubeconfig } from '../../kubeconfig/kubeconfig.ts';
import { readPlainKubeconfig } from '../../kubeconfig/plain-kubeconfig.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import type { TrustedAuthorities } from './kubeconfig-authority.ts';

/** A kubeconfig whose certificate and key are to be others. */
export interface ChangingKubeconfig {
  readonly file: FileTarget;
  readonly kubeconfig: PartialKubeconfig;
  /** undefined: inside the kubeconfig. */
  readonly certificate: FileTarget | undefined;
  readonly key: FileTarget | undefined;
  readonly trusted: TrustedAuthorities;
}

interface NewCredentials {
  readonly certificatePem: string;
  readonly keyPem: string;
}

/**
 * The files that change, the key's first.
 * @throws KubepkiError bad-kubeconfig, naming the file, when it cannot be rewritten
 */
export function kubeconfigChanges(
  { file, kubeconfig, certificate, key, trusted }: ChangingKubeconfig,
  { certificatePem, keyPem }: NewCredentials,
): FileChange[] {
  const text = naming(file.path, () =>
    rewriteKubeconfig(kubeconfig, {
      ...(certificate === undefined ? { clientCertificatePem: certificatePem } : {}),
      ...(key === undefined ? { clientKeyPem: keyPem } : {}),
      ...(trusted.pem === undefined ? {} : { clusterCaPem: trusted.pem }),
    }),
  );
  // Modes of new files are kubeadm's: 0600 for keys and kubeconfigs, 0644 for certificates.
  return [
    ...(key === undefined ? [] : [replaceFile(key, keyPem, 0o600)]),
    ...(certificate === undefined ? [] : [replaceFile(certificate, certificatePem, 0o644)]),
    ...(text === kubeconfig.text ? [] : [replaceFile(file, text, 0o600)]),
  ];
}

/** Those files, known before there is a key: a kubeconfig that names its files stays, unless it gets a CA. */
export function changingFiles({ file, certificate, key, trusted }: ChangingKubeconfig): FileTarget[] {
  const stays = certificate !== undefined && key !== undefined && trusted.pem === undefined;
  return [key, certificate, stays ? undefined : file].filter((target) => target !== undefined);
}

// Longer than any certificate with its chain and any key: what takes these takes the real ones.
const placeholder = `${'x'.repeat(16 * 1024)}\n`;

/** @throws KubepkiError bad-kubeconfig, naming the file, when no credentials can be written into it */
export function requireRewritable(changing: ChangingKubeconfig): void {
  // What is line by line kubeadm's shares nothing, and YAML's parser takes longer over it than all the rest of the plan.
  if (readPlainKubeconfig(changing.kubeconfig.text) !== undefined) return;
  kubeconfigChanges(changing, { certificatePem: placeholder, keyPem: placeholder });
}
