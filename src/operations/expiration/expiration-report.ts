/** One row of check-expiration. */
export type ExpirationRow = {
  /** Where it is, or should be; absent for a tree of which nothing can be read. */
  readonly file?: string;
} & (
  | {
      readonly status: 'present';
      readonly name: string;
      readonly notAfter: Date;
      /** notAfter - now; negative when it has expired. */
      readonly residualMs: number;
      readonly externallyManaged: boolean;
      /** What is wrong with it beside its end, said of it: `has no private key`. */
      readonly faults: readonly string[];
      /** kubeadm would have stopped for it, in external CA mode: `!INVALID!`, with its date. */
      readonly refused: boolean;
      /** Absent for a CA. */
      readonly caName?: string;
    }
  | { readonly status: 'missing'; readonly name: string }
  | { readonly status: 'unreadable'; readonly name: string }
);

/** What kubeadm shows, in its order: bytewise by name. */
export interface KubeadmReport {
  readonly certificates: readonly ExpirationRow[];
  readonly certificateAuthorities: readonly ExpirationRow[];
}

export interface ExpirationReport extends KubeadmReport {
  /** What its tables and documents have no row for: the client certificate for an external etcd. */
  readonly unlisted: readonly ExpirationRow[];
}

export function allRows({
  certificates,
  certificateAuthorities,
  unlisted,
}: ExpirationReport): ExpirationRow[] {
  return [...certificates, ...certificateAuthorities, ...unlisted];
}
