import type { CertificateSpec } from '../catalog/catalog.ts';
import type { CertificateEntry } from '../inventory/inventory.ts';
import { isDue, type DueWindow } from './due.ts';
import { isError, isShownByRow, type Finding } from './examination/finding.ts';

/** What `--within` decides by. */
export interface DueSettings {
  /** Only what is due; undefined: everything. */
  readonly due: DueWindow | undefined;
  /** Of the whole node. */
  readonly findings: readonly Finding[];
  /** Every certificate was named on the command line, with `--force`. */
  readonly insisted: boolean;
}

/** A certificate that was read, and that `--within` leaves as it is. */
export type Resting =
  | { readonly status: 'not-due'; readonly spec: CertificateSpec; readonly notAfter: Date }
  /** Something else is wrong with it than its end. */
  | {
      readonly status: 'unsound';
      readonly spec: CertificateSpec;
      readonly findings: readonly Finding[];
    };

/**
 * Why `--within`, which a timer runs, leaves a certificate as it is; undefined: it does not.
 *
 * One that another CA has signed is never signed anew by this one just for its date: it, or the CA, may have been restored
 * from the wrong backup. What else is wrong with one that is not due is left to people, too, and said.
 */
export function restOf(
  { spec, state }: CertificateEntry,
  { due, findings, insisted }: DueSettings,
): Resting | undefined {
  if (due === undefined || state.status !== 'present') return undefined;
  const own = findings.filter(
    (finding) => finding.name === spec.name && isError(finding) && !isShownByRow(finding),
  );
  if (own.length > 0 && insisted) return undefined;
  const { notAfter } = state.value.chain[0];
  const isForeign = own.some(({ check }) => check === 'foreign');
  if (isDue(notAfter, due) && !isForeign) return undefined;
  return own.length > 0 ? { status: 'unsound', spec, findings: own } : { status: 'not-due', spec, notAfter };
}
