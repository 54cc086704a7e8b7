/**
 * Where a credential or a CA is kept. As in clientcmd, data inside the file wins over a file that is named.
 * `path` is as written; a relative one starts at the kubeconfig's own directory.
 */
export type Embedded =
  { readonly kind: 'data'; readonly bytes: Buffer } | { readonly kind: 'file'; readonly path: string };
export type MaybeEmbedded = Embedded | { readonly kind: 'absent' };

/** A kubeconfig as its current context sees it. */
export interface Kubeconfig extends PartialKubeconfig {
  readonly clientCertificate: Embedded;
}

/** A kubeconfig whose certificate may still be to come: `generate-csr` leaves such files. */
export interface PartialKubeconfig {
  /** The whole file. */
  readonly text: string;
  readonly contextName: string;
  readonly clusterName: string;
  /** URL of the API server; undefined: not said. */
  readonly server: string | undefined;
  readonly userName: string;
  readonly clientCertificate: MaybeEmbedded;
  readonly clientKey: MaybeEmbedded;
  readonly clusterCa: MaybeEmbedded;
}
