import type { AuthorityCheck } from './authority-checks.ts';
import type { CertificateCheck } from './certificate-checks.ts';
import type { Severity } from './severity.ts';

/** `unjudged`: whether it verifies cannot be told, as its CA could not be read. */
export type CheckId = CertificateCheck | AuthorityCheck | 'missing' | 'unreadable' | 'unjudged';

/** What the examination of a node has found out about one certificate, or about a CA's file. */
export interface Finding {
  readonly check: CheckId;
  readonly severity: Severity;
  /** The certificate's, or the CA's, as a user types it. */
  readonly name: string;
  /** Host path of the file to look at. */
  readonly file: string;
  /** What is wrong, said of the file. */
  readonly message: string;
  /** The same, said of the certificate: `has no private key`. */
  readonly summary: string;
  readonly hint: string | undefined;
  /** It follows from what is wrong with its CA, which has a finding of its own. */
  readonly followsFromCa?: true;
}

// What kubeadm's tables show by themselves; that a CA could not be read, its own row says.
const shown: ReadonlySet<CheckId> = new Set(['missing', 'unreadable', 'unjudged', 'expired', 'ca-expired']);

/** Whether its row in the tables of check-expiration tells it. */
export function isShownByRow({ check }: Finding): boolean {
  return shown.has(check);
}

export function isError({ severity }: Finding): boolean {
  return severity === 'error';
}
