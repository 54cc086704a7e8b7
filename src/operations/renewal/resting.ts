import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { CertificateEntry } from '../../inventory/inventory.ts';
import { changesNames, changeSans, type SanChange, type SanSettings } from '../names/change-sans.ts';
import { isDue, type DueWindow } from '../expiration/expiration-report.ts';
import { isError, type CheckId, type Finding } from '../examination/finding.ts';
import { isoSeconds } from '../../pki/der/time.ts';

/** What `--within` decides by. */
export interface DueSettings {
  /** Only what is due; undefined: everything. */
  readonly due: DueWindow | undefined;
  /** The findings of the whole node. */
  readonly findings: readonly Finding[];
  /** Every certificate was named on the command line, with `--force`. */
  readonly insisted: boolean;
}

export interface RestSettings extends DueSettings {
  /** undefined: no other SANs were asked for. */
  readonly sans: SanSettings | undefined;
}

/** A certificate that was read, and that is left as it is. */
export type Resting =
  | { readonly status: 'not-due'; readonly spec: CertificateSpec; readonly notAfter: Date }
  /** Only other SANs were asked for, and it has those. */
  | { readonly status: 'same-sans'; readonly spec: CertificateSpec; readonly sans: SanChange }
  /** Something else is wrong with it than its end. */
  | {
      readonly status: 'unsound';
      readonly spec: CertificateSpec;
      readonly findings: readonly Finding[];
    };

/** What is wrong with a certificate, or a CA, beside its end, as far as it could be looked at. */
export function faultsOf(name: string, findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(
    (finding) => finding.name === name && isError(finding) && !passedOver.has(finding.check),
  );
}

// The end is what a window is for. A key that this user may not read is perhaps sound.
const passedOver: ReadonlySet<CheckId> = new Set(['expired', 'ca-expired', 'key-locked', 'ca-key-locked']);

/**
 * Why a certificate is left as it is; undefined: it is not. With `--within` and other SANs it is due as well when its SANs
 * are not those.
 *
 * One that another CA has signed is never signed anew by a timer just for its date: it, or the CA, may have been restored
 * from the wrong backup. What else is wrong with one that is not due is left to people, too, and said.
 * @throws KubepkiError in-use, conflict: the SANs that are asked for are refused
 */
export function restOf(entry: CertificateEntry, settings: RestSettings): Resting | undefined {
  const { spec, state } = entry;
  const { due, findings, insisted, sans } = settings;
  if (state.status !== 'present') return undefined;
  const { chain, file } = state.value;
  const [leaf] = chain;
  const own = due === undefined ? [] : faultsOf(spec.name, findings);
  if (own.length > 0 && insisted) return undefined;
  const unsound = { status: 'unsound', spec, findings: own } as const;
  if (own.some(({ check }) => check === 'foreign')) return unsound;
  if (due !== undefined && isDue(leaf.notAfter, due)) return undefined;
  const change = sans && changeSans(spec, leaf, file.path, sans);
  if (change !== undefined && changesNames(change)) return undefined;
  if (own.length > 0) return unsound;
  if (due !== undefined) return { status: 'not-due', spec, notAfter: leaf.notAfter };
  return change && { status: 'same-sans', spec, sans: change };
}

export function unsound(findings: readonly Finding[]): string {
  return `${findings.map(({ summary }) => summary).join(' and ')}, so it is left alone`;
}

export const sameSans = 'its SANs are those asked for, and nothing else was asked for';

export function notDue(notAfter: Date): string {
  return `ends on ${isoSeconds(notAfter)}, and is not due yet`;
}
