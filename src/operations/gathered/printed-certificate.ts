import { basename } from 'node:path';
import {
  hasExpired,
  kindRows,
  type AdditionalRow,
  type ExpirationReport,
  type ExpirationRow,
  type LastingFacts,
  type RowKind,
  type ToldRows,
} from '../expiration/expiration-report.ts';
import { factsByName, type Monitored } from '../expiration/monitored.ts';
import { rotationMarginMs } from '../verification/kubelet.ts';

/** A certificate as another node has printed it: its dates are its own, and what they mean depends on the moment. */
export interface PrintedCertificate {
  readonly kind: RowKind;
  readonly name: string;
  /** undefined: it is served, and in no file. */
  readonly file: string | undefined;
  readonly caName: string | undefined;
  /** The kubeconfig's user whose certificate this is. */
  readonly user: string | undefined;
  readonly held: { readonly status: 'missing' | 'unreadable' } | PrintedDates;
}

interface PrintedDates {
  readonly status: 'present';
  readonly notAfter: Date;
  /** undefined: it was not printed; then the document lacks something. */
  readonly facts: LastingFacts | undefined;
  readonly externallyManaged: boolean;
  /** As that node found it. */
  readonly faults: readonly string[];
  readonly refused: boolean;
  readonly renewsItself: boolean;
}

/** The rows that the node itself would show at this moment. */
export function reportAt(certificates: readonly PrintedCertificate[], now: Date): ExpirationReport {
  const rowsOf = (kind: RowKind): ExpirationRow[] =>
    certificates.filter((one) => one.kind === kind).map((one) => rowAt(one, now));
  return {
    certificates: rowsOf('certificate'),
    certificateAuthorities: rowsOf('authority'),
    unlisted: [],
    additional: certificates.flatMap((one): AdditionalRow[] =>
      one.kind === 'certificate' || one.kind === 'authority' ? [] : [{ ...rowAt(one, now), kind: one.kind }],
    ),
  };
}

function rowAt({ name, file, caName, held }: PrintedCertificate, now: Date): ExpirationRow {
  const named = { name, ...(file !== undefined && { file }) };
  if (held.status !== 'present') return { ...named, status: held.status };
  const { notAfter, externallyManaged, faults, refused, renewsItself, facts } = held;
  return {
    ...named,
    status: 'present',
    notAfter,
    residualMs: notAfter.getTime() - now.getTime(),
    externallyManaged,
    faults,
    refused,
    ...(caName !== undefined && { caName }),
    ...(renewsItself && facts !== undefined && { marginMs: rotationMarginMs({ ...facts, notAfter }) }),
  };
}

/** What a document tells of them in its turn. */
export function toldAt(certificates: readonly PrintedCertificate[], now: Date): ToldRows {
  return {
    rows: kindRows(reportAt(certificates, now)),
    facts: factsByName(monitoredAt(certificates, now)),
  };
}

/** What the metrics of the node itself would be made of at this moment. */
export function monitoredAt(certificates: readonly PrintedCertificate[], now: Date): Monitored[] {
  // Another certificate of a CA's file is told with that CA.
  const beside = certificates.filter(({ kind }) => kind === 'ca');
  return certificates
    .filter(({ kind }) => kind !== 'ca')
    .map((one) => {
      const { kind, name, file, user, held } = one;
      return {
        name,
        filename: file && basename(file),
        filepath: file,
        user,
        certificate: certificateAt(one, now),
        others: (kind === 'authority' ? beside : []).flatMap((other) => {
          const position = positionIn(name, other);
          const certificate = certificateAt(other, now);
          return position === undefined || certificate === undefined ? [] : [{ position, certificate }];
        }),
        wrong: held.status !== 'present' || held.faults.length > 0,
      };
    });
}

/** `ca #2` */
function positionIn(authority: string, { name }: PrintedCertificate): number | undefined {
  const [, own, position] = /^(.+) #([1-9]\d{0,5})$/.exec(name) ?? [];
  return own === authority ? Number(position) : undefined;
}

function certificateAt({ held }: PrintedCertificate, now: Date): Monitored['certificate'] {
  if (held.status !== 'present' || held.facts === undefined) return undefined;
  const { notAfter, facts } = held;
  return { ...facts, notAfter, expired: hasExpired(notAfter.getTime() - now.getTime()) };
}
