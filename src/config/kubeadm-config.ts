/** kubeadm's names; ECDSA-P384 since v1.34. */
export const encryptionAlgorithms = ['RSA-2048', 'RSA-3072', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'] as const;

export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number];

/** Where the configuration has etcd. */
export type EtcdConfig =
  | { readonly kind: 'stacked' }
  /** kubeadm manages no etcd certificates, and hands the API server these files, which are not its own. */
  | {
      readonly kind: 'external';
      readonly endpoints: readonly string[];
      /** Absolute, as a process on the node sees them; undefined: not named. */
      readonly caFile: string | undefined;
      readonly certFile: string | undefined;
      readonly keyFile: string | undefined;
    };

/** What kubepki needs of a kubeadm configuration, the same for all versions. */
export interface KubeadmConfig {
  /** Absolute; undefined: not named. */
  readonly certificatesDir: string | undefined;
  readonly etcd: EtcdConfig;
  readonly encryptionAlgorithm: EncryptionAlgorithm | undefined;
  readonly certificateValidityMs: number | undefined;
  readonly caCertificateValidityMs: number | undefined;
}
