/** kubeadm's names; ECDSA-P384 since v1.34. */
export const encryptionAlgorithms = ['RSA-2048', 'RSA-3072', 'RSA-4096', 'ECDSA-P256', 'ECDSA-P384'] as const;

export type EncryptionAlgorithm = (typeof encryptionAlgorithms)[number];

export type EtcdConfig =
  | { readonly kind: 'stacked' }
  /** kubeadm manages no etcd certificates, and hands the API server these files, which are not its own. */
  | {
      readonly kind: 'external';
      readonly endpoints: readonly string[];
      /** Absolute paths, as a process on the node sees them. */
      readonly caFile: string | undefined;
      readonly certFile: string | undefined;
      readonly keyFile: string | undefined;
    };

/** What kubepki needs of a kubeadm configuration, the same for all versions. A field is undefined where it is not given. */
export interface KubeadmConfig {
  /** Absolute. */
  readonly certificatesDir: string | undefined;
  readonly etcd: EtcdConfig;
  readonly encryptionAlgorithm: EncryptionAlgorithm | undefined;
  readonly certificateValidityMs: number | undefined;
  readonly caCertificateValidityMs: number | undefined;
}
