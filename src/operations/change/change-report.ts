import { restartOrder, type Component } from '../../catalog/catalog.ts';
import type { CertificateFacts, CertificateRecord, ChangeSet } from '../../changeset/change-set.ts';
import type { Stage } from '../rotation/plan.ts';
import type { TokenKeyStage } from '../token-key/state.ts';

/** What a command that changes something has done, or would do: the same for all of them, plain data and no secret. */
export interface ChangeReport {
  readonly command: ChangeCommand;
  /** Nothing was written; the outcomes are those that the change would have. */
  readonly dryRun: boolean;
  /** An error, which is said beside it, has kept the run from changing anything. */
  readonly failed: boolean;
  /** The backup of what was replaced; undefined: nothing was changed. */
  readonly backup: string | undefined;
  /** Of a rollback: the backup that was brought back. */
  readonly restored?: string | undefined;
  readonly certificates: readonly CertificateReport[];
  /** Host paths that changed, or would, and belong to no one certificate: requests that are cleared away. */
  readonly otherFiles: readonly string[];
  /** What this run cannot bring up to date; absent: the command has nothing of the kind. */
  readonly elsewhere?: readonly Elsewhere[];
}

/** A copy of what was changed, on another node or in the cluster. */
export interface Elsewhere {
  /** In words, without a period. */
  readonly what: string;
  /** Brings it up to date when it is pasted into a shell. */
  readonly command: string;
}

/** How far a command has come when it reports. */
export type ChangeStage =
  | { readonly kind: 'refused'; readonly dryRun: boolean }
  | { readonly kind: 'planned'; readonly change: ReportedChange }
  /** `backup`: undefined when there was nothing to change. */
  | { readonly kind: 'made'; readonly backup: string | undefined; readonly change: ReportedChange };

interface ReportedChange {
  readonly changes: ChangeSet;
  readonly certificates: readonly CertificateRecord[];
}

/** What a report says of its stage. */
export function stageOf(stage: ChangeStage): Pick<ChangeReport, 'dryRun' | 'failed' | 'backup'> {
  switch (stage.kind) {
    case 'refused':
      return { dryRun: stage.dryRun, failed: true, backup: undefined };
    case 'planned':
      return { dryRun: true, failed: false, backup: undefined };
    case 'made':
      return { dryRun: false, failed: false, backup: stage.backup };
  }
}

export type ChangeCommand =
  | 'renew'
  | 'renew --csr-only'
  | 'install'
  | 'generate'
  | 'generate-csr'
  | 'rollback'
  | 'ca renew'
  | 'ca trust'
  | `ca rotate ${Stage}`
  | `sa rotate ${TokenKeyStage}`;

/** One certificate, or what else a command has a name for: a CA, the service-account key or one of its two files. */
export type CertificateReport = ChangedCertificate | UnchangedCertificate;

interface CertificateCommon {
  readonly name: string;
  /** Who uses it. */
  readonly components: readonly Component[];
  /** The certificate before the change; undefined: there was none, or none that can be read. */
  readonly old: CertificateFacts | undefined;
  /** Host path of the CSR that waits. */
  readonly csr?: string | undefined;
  /** Host path at which the certificate that is signed for it is expected. */
  readonly expected?: string | undefined;
}

/**
 * - `renewed`, `generated`, `rolled-back`; `installed`: signed elsewhere, and put in its place
 * - `in-place`: signed elsewhere and put in its place by hand; it has been checked, and its key is there too
 * - `requested`: a key and a CSR were made; the certificate in use stays
 * - `prepared`: a CA that is to be replaced, and the new one is made; nothing of it is in use
 * - `rotated`: a CA that is being replaced, and whose files are a stage further; or half of the service-account key, likewise
 */
type ChangedOutcome =
  'renewed' | 'installed' | 'in-place' | 'generated' | 'rolled-back' | 'requested' | 'prepared' | 'rotated';

/**
 * - `missing`: there is none to renew
 * - `external-ca`: the key of its CA is elsewhere
 * - `not-due`: it lasts longer than `--within` says
 * - `unsound`: with `--within`: its end is not what is wrong with the certificate, so it is left alone
 * - `same-sans`: only other SANs were asked for, and it has those
 * - `ca-ends-first`: due, but its CA ends no later than it does: a renewal could not make it last longer
 * - `pending`: its request waits for a signature
 * - `idle`: nothing was asked for, so nothing can be installed
 * - `existing`: it is there, and `generate` leaves it alone; `keyless`: a CA of which only the certificate is there
 * - `left-out`: only the first node has it, and it cannot be made on this one
 * - `unmanaged`: of an external etcd
 * - `refused`: it is the reason why nothing of the set was changed
 * - `unchanged`: it could have been changed, but another was refused; or it is what it was already
 */
type UnchangedOutcome =
  | 'missing'
  | 'external-ca'
  | 'not-due'
  | 'unsound'
  | 'same-sans'
  | 'ca-ends-first'
  | 'pending'
  | 'idle'
  | 'existing'
  | 'keyless'
  | 'left-out'
  | 'unmanaged'
  | 'refused'
  | 'unchanged';

export interface ChangedCertificate extends CertificateCommon {
  readonly outcome: ChangedOutcome;
  /** undefined: there is none, as after a rollback to when it was missing. */
  readonly new: NewFacts | undefined;
  /** Host paths that changed, or would. */
  readonly files: readonly string[];
}

interface UnchangedCertificate extends CertificateCommon {
  readonly outcome: UnchangedOutcome;
  /** Why, in a sentence without a period. */
  readonly reason: string;
}

/** What is not known before it is made: serial and fingerprint. */
export type NewFacts = CertificateFacts | PlannedFacts;

interface PlannedFacts {
  readonly serial: undefined;
  readonly fingerprint: undefined;
  /** RFC 3339, UTC, whole seconds. */
  readonly notAfter: string;
}

/** What is in use and is another now: what a reload is for. */
export function changedInUse({ certificates }: ChangeReport): ChangedCertificate[] {
  return certificates
    .flatMap((certificate) => ('reason' in certificate ? [] : [certificate]))
    .filter(({ outcome, files }) => {
      switch (outcome) {
        case 'requested':
        case 'prepared':
          return false;
        case 'in-place':
          // The components may well run with this certificate, unless its key came only now.
          return files.length > 0;
        case 'renewed':
        case 'installed':
        case 'generated':
        case 'rolled-back':
        case 'rotated':
          return true;
      }
    });
}

/**
 * The components to restart, in the order of restarting. No component uses yet what was made where nothing
 * was.
 */
export function componentsToRestart(report: ChangeReport): Component[] {
  const changed = changedInUse(report).filter(({ outcome }) => outcome !== 'generated');
  const users = new Set(changed.flatMap(({ components }) => components));
  return restartOrder.filter((component) => users.has(component));
}

/** What there is to tell a hook of a change. */
export interface HookFacts {
  readonly command: string;
  readonly names: readonly string[];
  readonly files: readonly string[];
  readonly components: readonly string[];
  readonly backup: string | undefined;
}

/** @returns undefined when nothing in use has changed, and so there is nothing to run a hook for */
export function hookFacts(report: ChangeReport): HookFacts | undefined {
  const changed = changedInUse(report);
  if (report.dryRun || changed.length === 0) return undefined;
  return {
    command: report.command,
    names: changed.map(({ name }) => name),
    files: changed.flatMap(({ files }) => files),
    components: componentsToRestart(report),
    backup: report.backup,
  };
}

/** Why the rest of a set stays as it is. */
export function refusedWith(
  planned: readonly { readonly status: string; readonly spec: { readonly name: string } }[],
): string {
  const names = planned.flatMap(({ status, spec }) => (status === 'refused' ? [spec.name] : []));
  return `nothing of the set was changed, because of ${names.join(', ')}`;
}
