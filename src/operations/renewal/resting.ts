import type { KubepkiError } from '../../errors/error.ts';
import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { CertificateEntry } from '../../inventory/inventory.ts';
import { changesNames, changeSans, type SanChange, type SanSettings } from '../names/change-sans.ts';
import { isDue, type DueWindow } from '../expiration/expiration-report.ts';
import { isError, type CheckId, type Finding } from '../examination/finding.ts';

/** What `--within` decides by. */
export interface DueSettings {
  /** Only a certificate that is due in this window is renewed; undefined: every one is. */
  readonly due: DueWindow | undefined;
  /** The findings of the whole node. */
  readonly findings: readonly Finding[];
  /** Every certificate was named on the command line, with `--force`. */
  readonly insisted: boolean;
}

export interface RestSettings extends DueSettings {
  /** undefined: the command line asks for no other SANs. */
  readonly sans: SanSettings | undefined;
}

/** A certificate that was read, and that is left as it is. */
export type Resting =
  | { readonly status: 'not-due'; readonly spec: CertificateSpec; readonly notAfter: Date }
  /** The command line asks for other SANs only, and the certificate has those. */
  | { readonly status: 'same-sans'; readonly spec: CertificateSpec; readonly sans: SanChange }
  /** Its end is not what is wrong with the certificate. */
  | { readonly status: 'unsound'; readonly spec: CertificateSpec; readonly findings: readonly Finding[] };

/** What is wrong with a certificate, or a CA, beside its end, as far as this user may look. */
export function faultsOf(name: string, findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(
    (finding) => finding.name === name && isError(finding) && !passedOver.has(finding.check),
  );
}

// The window of `--within` judges the end. A key that this user may not read is perhaps sound.
const passedOver: ReadonlySet<CheckId> = new Set(['expired', 'ca-expired', 'key-locked', 'ca-key-locked']);

/**
 * Why a certificate is left as it is. With `--within` and other SANs a certificate is due, too, when its SANs are not those.
 *
 * A timer never signs a certificate of another CA anew just for its date: the certificate, or the CA, may have been restored
 * from the wrong backup. Whatever else is wrong with a certificate that is not due is reported, and people decide.
 * @returns undefined where the certificate is renewed
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

/** What every way to renew may say of a certificate that it does not renew. */
export type Left =
  | Resting
  | { readonly status: 'missing'; readonly spec: CertificateSpec }
  | { readonly status: 'refused'; readonly spec: CertificateSpec; readonly error: KubepkiError };
