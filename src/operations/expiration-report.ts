/** One row of check-expiration. */
export type ExpirationRow =
  | {
      readonly status: 'present';
      readonly name: string;
      readonly notAfter: Date;
      /** notAfter - now; negative when it has expired. */
      readonly residualMs: number;
      readonly externallyManaged: boolean;
      /** Of an external CA, and has no key or does not verify: `!INVALID!`, with its date. */
      readonly faulty: boolean;
      /** Absent for a CA. */
      readonly caName?: string;
    }
  | { readonly status: 'missing'; readonly name: string }
  | { readonly status: 'unreadable'; readonly name: string };

/** Both lists in kubeadm's order: bytewise by name. */
export interface ExpirationReport {
  readonly certificates: readonly ExpirationRow[];
  readonly certificateAuthorities: readonly ExpirationRow[];
}
