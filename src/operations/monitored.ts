import { basename } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import type { AuthorityEntry, CertificateEntry, Inventory } from '../inventory/inventory.ts';
import type { Certificate } from '../pki/certificate.ts';
import { serialNumberOf } from '../pki/facts.ts';
import { attributesOf } from '../pki/name.ts';
import { hasExpired } from './due.ts';

/** A certificate as monitoring sees it: where it is, and what it says when it could be read. */
export interface Monitored {
  readonly name: string;
  readonly filename: string;
  /** As somebody inside the root would write it: a label must not depend on where the disk is mounted. */
  readonly filepath: string;
  /** Whose certificate it is inside a kubeconfig. */
  readonly user: string | undefined;
  /** undefined: missing or unreadable. */
  readonly certificate: MonitoredCertificate | undefined;
  /** Missing, unreadable, or it does not verify. */
  readonly wrong: boolean;
}

export interface MonitoredCertificate {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly expired: boolean;
  /** Decimal. */
  readonly serialNumber: string;
  /** Such as `CN` and `O`; several of one kind are joined. */
  readonly subject: ReadonlyMap<string, string>;
  readonly issuer: ReadonlyMap<string, string>;
}

/** @param invalid the names of those whose row says so */
export function monitored(
  inventory: Inventory,
  names: ReadonlySet<string>,
  invalid: ReadonlySet<string>,
  now: Date,
): readonly Monitored[] {
  const entries = [...inventory.certificates, ...inventory.authorities];
  return entries
    .filter(({ spec }) => names.has(spec.name))
    .map((entry) => {
      const { name } = entry.spec;
      const path = pathOf(inventory, entry);
      const certificate = certificateOf(entry);
      return {
        name,
        filename: basename(path),
        filepath: inventory.layout.root.display(path),
        user: userOf(entry),
        certificate: certificate && monitoredCertificate(certificate, now),
        wrong: certificate === undefined || invalid.has(name),
      };
    });
}

function pathOf({ layout }: Inventory, entry: CertificateEntry | AuthorityEntry): string {
  if ('certificatePath' in entry) return entry.certificatePath;
  return `${layout.kubeconfigDir}/${entry.spec.name}`;
}

function certificateOf(entry: CertificateEntry | AuthorityEntry): Certificate | undefined {
  if ('bundle' in entry) return entry.bundle.status === 'present' ? entry.bundle.value[0] : undefined;
  return entry.state.status === 'present' ? entry.state.value.chain[0] : undefined;
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

/** A name that is not well-formed has no labels, and hides no date. */
function readable(name: Buffer): readonly string[] {
  try {
    return attributesOf(name);
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return [];
  }
}
