import { basename } from 'node:path';
import { KubepkiError } from '../../errors/error.ts';
import type { AuthorityEntry, CertificateEntry } from '../../inventory/inventory.ts';
import { serialNumberOf, type Certificate } from '../../pki/certificate/certificate.ts';
import { attributesOf } from '../../pki/der/name.ts';
import type { Additional } from './additional.ts';
import {
  allRows,
  hasExpired,
  type LastingFacts,
  type ExpirationReport,
  type NamedFacts,
} from './expiration-report.ts';
import { inUseOf, type Subject } from '../examination/examination.ts';

/** A certificate, or its absence, as monitoring sees it. */
export interface Monitored {
  readonly name: string;
  /** undefined: it is in no file. */
  readonly filename: string | undefined;
  /** The path inside the root: a label must not depend on the directory at which the disk is mounted. */
  readonly filepath: string | undefined;
  /** The kubeconfig's user whose certificate this is; undefined for a certificate of its own file. */
  readonly user: string | undefined;
  /** undefined: it is missing or unreadable. */
  readonly certificate: MonitoredCertificate | undefined;
  /** The certificates in a CA's file besides the one in use. */
  readonly others: readonly MonitoredBlock[];
  /** It is missing or unreadable, or has another fault than its end. */
  readonly wrong: boolean;
}

interface MonitoredBlock {
  /** Its place in the file, from 1. */
  readonly position: number;
  readonly certificate: MonitoredCertificate;
}

interface MonitoredCertificate extends LastingFacts {
  readonly notAfter: Date;
  readonly expired: boolean;
}

/**
 * A row for each of the report's.
 * @param additional what kubeadm has no row for, where that is asked for
 */
export function monitored(
  subject: Subject,
  report: ExpirationReport,
  additional: readonly Additional[] = [],
): readonly Monitored[] {
  return [...monitoredInPlace(subject, report), ...monitoredBeside(subject, additional)];
}

/** Other certificates of a CA's file are told with that CA: they are no rows of their own here. */
function monitoredBeside({ inventory, now }: Subject, additional: readonly Additional[]): Monitored[] {
  return additional
    .filter(({ row }) => row.kind !== 'ca')
    .map(({ row, certificate, user }) => ({
      name: row.name,
      filename: row.file && basename(row.file),
      filepath: row.file && inventory.layout.root.display(row.file),
      user,
      certificate: certificate && monitoredCertificate(certificate, now),
      others: [],
      wrong: row.status !== 'present' || row.faults.length > 0,
    }));
}

function monitoredInPlace(subject: Subject, report: ExpirationReport): Monitored[] {
  const { inventory, now } = subject;
  const { certificates, authorities, etcdClient, layout } = inventory;
  const entries = [...certificates, ...authorities, ...(etcdClient === undefined ? [] : [etcdClient.leaf])];
  const rows = new Map(allRows(report).map((row) => [row.name, row]));
  return entries.flatMap((entry): Monitored[] => {
    const { name } = entry.spec;
    const row = rows.get(name);
    if (row === undefined) return [];
    const path = entry.certificatePath;
    const certificate = certificateOf(entry, subject);
    return [
      {
        name,
        filename: basename(path),
        filepath: layout.root.display(path),
        user: userOf(entry),
        certificate: certificate && monitoredCertificate(certificate, now),
        others: certificate === undefined ? [] : othersOf(entry, certificate, now),
        wrong: row.status !== 'present' || row.faults.length > 0,
      },
    ];
  });
}

function certificateOf(entry: CertificateEntry | AuthorityEntry, subject: Subject): Certificate | undefined {
  if ('bundle' in entry) return inUseOf(entry, subject);
  return entry.state.status === 'present' ? entry.state.value.chain[0] : undefined;
}

/** The facts of each certificate by the name of its row, and whose it is in a kubeconfig. */
export function factsByName(rows: readonly Monitored[]): ReadonlyMap<string, NamedFacts> {
  return new Map(
    rows.flatMap(({ name, user, certificate, others }): (readonly [string, NamedFacts])[] => [
      ...(certificate === undefined ? [] : [[name, { ...certificate, user }] as const]),
      ...others.map(
        (one) => [`${name} #${String(one.position)}`, { ...one.certificate, user: undefined }] as const,
      ),
    ]),
  );
}

/** A certificate that a bundle holds twice counts once. */
function othersOf(entry: CertificateEntry | AuthorityEntry, inUse: Certificate, now: Date): MonitoredBlock[] {
  if (!('bundle' in entry) || entry.bundle.status !== 'present') return [];
  const seen = [inUse.der];
  return entry.bundle.value.flatMap((one, index) => {
    if (seen.some((der) => der.equals(one.der))) return [];
    seen.push(one.der);
    return [{ position: index + 1, certificate: monitoredCertificate(one, now) }];
  });
}

function userOf(entry: CertificateEntry | AuthorityEntry): string | undefined {
  if (!('kind' in entry) || entry.kind !== 'kubeconfig' || entry.state.status !== 'present') return undefined;
  return entry.state.value.kubeconfig.userName;
}

function monitoredCertificate(certificate: Certificate, now: Date): MonitoredCertificate {
  const { notBefore, notAfter } = certificate;
  return {
    notBefore,
    notAfter,
    expired: hasExpired(notAfter.getTime() - now.getTime()),
    serialNumber: serialNumberOf(certificate).toString(),
    subject: attributes(certificate.subject),
    issuer: attributes(certificate.issuer),
  };
}

function attributes(name: Buffer): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const attribute of readable(name)) {
    const [, key = '', value = ''] = /^([^=]*)=(.*)$/s.exec(attribute) ?? [];
    const other = found.get(key);
    found.set(key, other === undefined ? value : `${other},${value}`);
  }
  return found;
}

/** A name that is not well-formed gives no labels, and the dates are told all the same. */
function readable(name: Buffer): readonly string[] {
  try {
    return attributesOf(name);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return [];
  }
}
