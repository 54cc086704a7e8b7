/** kubeadm's names; ECDSA-P384 since v1.34. */
export const encryptionAlgorithms = ['RSA-2048', 'RSA-3072', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'] as const;

export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number];

/** What kubepki needs of a kubeadm configuration, whatever its version. */
export interface KubeadmConfig {
  /** Absolute; undefined: not named. */
  readonly certificatesDir: string | undefined;
  /** `external`: kubeadm manages no etcd certificates. */
  readonly etcd: 'stacked' | 'external';
  readonly encryptionAlgorithm: EncryptionAlgorithm | undefined;
  readonly certificateValidityMs: number | undefined;
  readonly caCertificateValidityMs: number | undefined;
}
