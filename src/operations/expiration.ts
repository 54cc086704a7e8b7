import type { CertificateSpec } from '../catalog/catalog.ts';
import type { CommandLine } from '../errors/command-line.ts';
import type { KubepkiError } from '../errors/error.ts';
import {
  findAuthority,
  type AuthorityEntry,
  type CertificateEntry,
  type Inventory,
} from '../inventory/inventory.ts';
import type { Reading } from '../inventory/reading.ts';
import type { Certificate } from '../pki/certificate.ts';
import { externalFaults, isExternallyManaged } from './external-authority.ts';
import type { ExpirationReport, ExpirationRow } from './expiration-report.ts';
import { missingAuthority } from './missing-authority.ts';

export interface ExpirationResult {
  readonly report: ExpirationReport;
  /** Why a row is `!INVALID!`, or what kept a row from being judged. */
  readonly problems: readonly KubepkiError[];
}

/** What `check-expiration` says of an inventory at one moment. */
export function expiration(inventory: Inventory, now: Date, command: CommandLine): ExpirationResult {
  const entries = inventory.certificates.filter(
    // Only the node where `kubeadm init` ran has a super-admin.conf: nowhere else is it missing.
    ({ spec, state }) => !(spec.kind === 'kubeconfig' && spec.optional && state.status === 'missing'),
  );
  const faults = externalFaults(inventory, command);
  const faulty = new Set<CertificateSpec>(faults.map(({ spec }) => spec));
  return {
    report: {
      certificates: entries.map((entry) =>
        certificateRow(inventory, entry, { now, faulty: faulty.has(entry.spec) }),
      ),
      certificateAuthorities: inventory.authorities.map((entry) => authorityRow(entry, now)),
    },
    problems: [
      ...[...entries.map(({ state }) => state), ...inventory.authorities.map(({ bundle }) => bundle)].flatMap(
        errorsOf,
      ),
      ...inventory.authorities.flatMap((authority) => authorityProblems(authority, entries)),
      ...faults.map(({ error }) => error),
    ],
  };
}

function certificateRow(
  inventory: Inventory,
  entry: CertificateEntry,
  { now, faulty }: { readonly now: Date; readonly faulty: boolean },
): ExpirationRow {
  const { name, caName } = entry.spec;
  if (entry.state.status !== 'present') return { status: entry.state.status, name };
  const [leaf] = entry.state.value.chain;
  const authority = findAuthority(inventory, caName);
  const externallyManaged = authority !== undefined && isExternallyManaged(authority);
  return { status: 'present', name, ...residual(leaf, now), externallyManaged, faulty, caName };
}

function authorityRow(entry: AuthorityEntry, now: Date): ExpirationRow {
  const { name } = entry.spec;
  if (entry.bundle.status !== 'present') return { status: entry.bundle.status, name };
  // kubeadm since 1.24: of several certificates in the file, the first.
  const [first] = entry.bundle.value;
  const externallyManaged = isExternallyManaged(entry);
  return { status: 'present', name, ...residual(first, now), externallyManaged, faulty: false };
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
