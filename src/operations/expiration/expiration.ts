import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityEntry, CertificateEntry } from '../../inventory/inventory.ts';
import { findAuthority, isMissed } from '../../inventory/look-ups.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { examination, inUseOf, type Subject } from '../examination/examination.ts';
import {
  externalFault,
  isExternalFault,
  isExternallyManaged,
  missingAuthority,
} from '../examination/external-authority.ts';
import { isError, isShownByRow, type Finding } from '../examination/finding.ts';
import type { ExpirationReport, ExpirationRow, ToldRows } from './expiration-report.ts';

export interface ExpirationResult {
  readonly report: ExpirationReport;
  /** Why a row is `!INVALID!`, or could not be judged: kubeadm would have stopped there. */
  readonly problems: readonly KubepkiError[];
  /** The other faults that the tables do not show. */
  readonly findings: readonly Finding[];
}

/** What `check-expiration` says of an inventory at one moment. */
export function expiration(
  subject: Subject,
  findings: readonly Finding[] = examination(subject),
): ExpirationResult {
  const { inventory } = subject;
  const { authorities, etcdClient } = inventory;
  const entries = inventory.certificates.filter(
    (entry) => entry.state.status !== 'missing' || isMissed(entry),
  );
  const rowOf = rowsWith(findings, subject);
  const unlisted = etcdClient === undefined ? [] : [etcdClient.leaf];
  const isStop = (finding: Finding): boolean =>
    finding.check === 'ca-no-ca' || isExternalFault(finding, inventory);
  return {
    report: {
      certificates: entries.map((entry) => rowOf.certificate(entry)),
      certificateAuthorities: authorities.map((entry) => rowOf.authority(entry)),
      unlisted: unlisted.map((entry) => rowOf.certificate(entry)),
    },
    problems: [
      ...[...entries, ...unlisted].flatMap(({ state }) => errorsOf(state)),
      ...authorities.flatMap(({ bundle }) => errorsOf(bundle)),
      ...authorities.flatMap((authority) => authorityProblems(authority, entries)),
      ...findings.filter(isStop).map(problemOf),
    ],
    findings: findings.filter(
      (finding) =>
        !isStop(finding) &&
        finding.followsFromCa !== true &&
        // A certificate without a row is shown nowhere else.
        (!isShownByRow(finding) || (finding.check !== 'unreadable' && isOf(finding, unlisted))),
    ),
  };
}

function problemOf(finding: Finding): KubepkiError {
  const { check, file, message, hint } = finding;
  return check === 'ca-no-ca'
    ? new KubepkiError('bad-issuer', message, { file, hint })
    : externalFault(finding);
}

function isOf({ name }: Finding, entries: readonly CertificateEntry[]): boolean {
  return entries.some(({ spec }) => spec.name === name);
}

function rowsWith(
  findings: readonly Finding[],
  subject: Subject,
): {
  readonly certificate: (entry: CertificateEntry) => ExpirationRow;
  readonly authority: (entry: AuthorityEntry) => ExpirationRow;
} {
  const { inventory, now } = subject;
  const judged = (name: string): { readonly faults: readonly string[]; readonly refused: boolean } => {
    const own = findings.filter((finding) => finding.name === name && isError(finding));
    return {
      faults: own.filter((finding) => !isEnd(finding)).map(({ summary }) => summary),
      refused: own.some((finding) => isExternalFault(finding, inventory)),
    };
  };
  return {
    certificate: (entry) => {
      const {
        spec: { name, caName },
        certificatePath: file,
        state,
      } = entry;
      if (state.status !== 'present') return { status: state.status, name, file };
      const authority = findAuthority(inventory, caName);
      const externallyManaged = authority !== undefined && isExternallyManaged(authority);
      const [leaf] = state.value.chain;
      const common = { name, file, externallyManaged, ...residual(leaf, now), ...judged(name) };
      return { status: 'present', ...common, caName };
    },
    authority: (entry) => {
      const { name } = entry.spec;
      const file = entry.certificatePath;
      if (entry.bundle.status !== 'present') return { status: entry.bundle.status, name, file };
      const inUse = inUseOf(entry, subject) ?? entry.bundle.value[0];
      const externallyManaged = isExternallyManaged(entry);
      const common = { name, file, externallyManaged, ...residual(inUse, now), ...judged(name) };
      return { status: 'present', ...common };
    },
  };
}

/** The date in its row tells it. */
function isEnd({ check }: Finding): boolean {
  return check === 'expired' || check === 'ca-expired';
}

function residual(certificate: Certificate, now: Date): { notAfter: Date; residualMs: number } {
  return { notAfter: certificate.notAfter, residualMs: certificate.notAfter.getTime() - now.getTime() };
}

// kubeadm fails where a certificate is there and the certificate of its CA is not; an empty cert dir is no error.
function authorityProblems(authority: AuthorityEntry, entries: readonly CertificateEntry[]): KubepkiError[] {
  const problems = errorsOf(authority.key);
  const needed = entries.some(
    ({ spec, state }) => spec.caName === authority.spec.name && state.status === 'present',
  );
  if (needed && authority.bundle.status === 'missing') problems.push(missingAuthority(authority));
  return problems;
}

function errorsOf(reading: Reading<unknown>): KubepkiError[] {
  return reading.status === 'unreadable' ? [reading.error] : [];
}

/** What `check-expiration` says of one of several trees. */
export interface TreeExpiration {
  /** Its directory, as it was typed. */
  readonly node: string;
  /** undefined: the tree is not there, or has no cert dir. */
  readonly report: ExpirationReport | undefined;
  /** As with one tree; or why there is no report. */
  readonly problems: readonly KubepkiError[];
  readonly findings: readonly ToldFinding[];
  /** As of when; undefined: a document of it does not say. */
  readonly time?: Date | undefined;
  /** What the tables have no column for; undefined: it was not asked for. */
  readonly told?: ToldRows | undefined;
  /** Why what is known of it does not count, in a word or two: `too old`; undefined: it counts. */
  readonly doubt?: string | undefined;
}

/** What is printed of a finding. */
export interface ToldFinding extends Pick<Finding, 'severity' | 'name' | 'file' | 'message' | 'hint'> {
  /** Of another version of this program it may be another. */
  readonly check: string;
}

/** Several trees as if they were one node: each name begins with its node, and an unreadable tree is an unreadable row. */
export function asOneNode(
  trees: readonly TreeExpiration[],
): Pick<ExpirationResult, 'report' | 'problems'> & { readonly doubts: readonly string[] } {
  const named = (part: Exclude<keyof ExpirationReport, 'additional'>): ExpirationRow[] =>
    trees.flatMap(({ node, report, doubt }): ExpirationRow[] => {
      if (report === undefined && doubt !== undefined) return [];
      if (report === undefined) return part === 'certificates' ? [{ status: 'unreadable', name: node }] : [];
      return report[part].map((row) => ofNode(node, row));
    });
  return {
    report: {
      certificates: named('certificates'),
      certificateAuthorities: named('certificateAuthorities'),
      unlisted: named('unlisted'),
      additional: trees.flatMap(({ node, report }) =>
        (report?.additional ?? []).map((row) => ofNode(node, row)),
      ),
    },
    problems: trees.flatMap(({ problems }) => problems),
    doubts: trees.flatMap(({ node, doubt }) => (doubt === undefined ? [] : [`${node}: ${doubt}`])),
  };
}

function ofNode<Row extends ExpirationRow>(node: string, row: Row): Row {
  return { ...row, name: `${node}: ${row.name}` };
}
