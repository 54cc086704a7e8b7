import type { CommandLine } from '../../errors/command-line.ts';
import type { KubepkiError } from '../../errors/error.ts';
import type {
  AuthorityEntry,
  CertificateEntry,
  EtcdClientEntry,
  Inventory,
} from '../../inventory/inventory.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import type { Reading, Slot } from '../../inventory/reading.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { validatePath } from '../../pki/path/path.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { isExternallyManaged } from './external-authority.ts';
import { authorityInUse, authorityProblemsOf } from './authority-checks.ts';
import { remedyFor } from './authority-remedy.ts';
import { problemsOf } from './certificate-checks.ts';
import { type CheckId, type Finding, remedy, type Remedied } from './finding.ts';
import { findAuthority, isMissed } from '../../inventory/look-ups.ts';

/** A node's files, and the moment at which they are judged. */
export interface Subject {
  readonly inventory: Inventory;
  /** undefined: no key was looked at. */
  readonly keys: PrivateKeys | undefined;
  readonly now: Date;
  readonly command: CommandLine;
}

/** The findings about a node's certificates in the catalog's order, the CAs' last. */
export function examination(subject: Subject): readonly Finding[] {
  const { certificates, etcdClient, authorities } = subject.inventory;
  const ofAuthorities = authorities.flatMap((entry) => examineAuthority(entry, subject));
  return [
    ...certificates.flatMap((entry) =>
      underAuthority(
        examineCertificate(entry, subject),
        ofAuthorities.filter(({ name, check }) => name === entry.spec.caName && unusable.has(check)),
      ),
    ),
    ...(etcdClient === undefined ? [] : examineEtcdClient(etcdClient, subject)),
    ...ofAuthorities,
  ];
}

/** With such a finding a CA neither signs nor verifies. */
const unusable: ReadonlySet<CheckId> = new Set([
  'ca-no-ca',
  'ca-serial',
  'ca-unfit',
  'ca-expired',
  'ca-not-yet-valid',
]);

/** @param ofCa why the CA is of no use; empty: it is of use */
function underAuthority(findings: readonly Finding[], ofCa: readonly Finding[]): readonly Finding[] {
  const [first] = ofCa;
  if (first === undefined) return findings;
  return findings.map((finding): Finding => {
    const isOther = finding.check === 'foreign' && !ofCa.some(({ check }) => check === 'ca-no-ca');
    if (isOther) return { ...finding, hint: 'put the CA certificate in place that signed it' };
    return finding.check === 'foreign' || finding.check === 'untrusted'
      ? { ...finding, hint: `see to its CA first: ${first.file}`, followsFromCa: true }
      : finding;
  });
}

/** The certificate with which a CA signs; undefined: its file holds none that can be read. */
export function inUseOf(
  { spec, bundle }: AuthorityEntry,
  { inventory, keys, now }: Omit<Subject, 'command'>,
): Certificate | undefined {
  if (bundle.status !== 'present') return undefined;
  const leaves = inventory.certificates.flatMap(({ spec: { caName }, state }) =>
    caName === spec.name && state.status === 'present' ? [state.value.chain[0]] : [],
  );
  return authorityInUse(bundle.value, keys?.get(spec.name)?.content, leaves, now);
}

function examineCertificate(entry: CertificateEntry, subject: Subject): readonly Finding[] {
  const { spec } = entry;
  const authority = findAuthority(subject.inventory, spec.caName);
  const caFile = authority?.certificatePath ?? '';
  const external = authority !== undefined && isExternallyManaged(authority);
  if (entry.state.status === 'missing' && !isMissed(entry)) return [];
  const remedied: Remedied = { name: spec.name, external, caFile, command: subject.command };
  return examineLeaf(entry, certificatePathOf(entry), authority?.bundle, remedied, subject);
}

/**
 * The configuration names the CA of the external etcd's own certificates. etcd may trust another CA for its clients, so it is
 * only a warning that the certificate is of another one.
 */
function examineEtcdClient({ leaf, caFile, bundle }: EtcdClientEntry, subject: Subject): readonly Finding[] {
  const remedied: Remedied = { name: leaf.spec.name, external: 'etcd', caFile, command: subject.command };
  return examineLeaf(leaf, leaf.certificatePath, bundle, remedied, subject).map((finding) =>
    ofTheIssuer.has(finding.check) ? { ...finding, severity: 'warning' } : finding,
  );
}

const ofTheIssuer: ReadonlySet<CheckId> = new Set(['foreign', 'untrusted', 'unjudged']);

function examineLeaf(
  { spec, state }: CertificateEntry,
  file: string,
  bundle: Reading<Chain> | undefined,
  remedied: Remedied,
  { keys, now }: Subject,
): Finding[] {
  if (state.status === 'missing') return [missing(file, remedied)];
  if (state.status === 'unreadable')
    return [unreadable(spec.name, file, state.error, remedy('unreadable', remedied))];
  const { name, caFile } = remedied;
  const { chain } = state.value;
  const [leaf, ...others] = chain;
  const path = bundle?.status === 'present' ? validatePath(leaf, others, bundle.value, now) : undefined;
  const key = keys?.get(name);
  const unjudged = { check: 'unjudged', message: `cannot be verified without ${caFile}` } as const;
  const problems = [
    ...(path === undefined ? [unjudged] : []),
    ...problemsOf({ chain, usages: spec.usages, path, caFile, key: key?.content, now }),
  ];
  return problems.map(({ check, message: summary }) => ({
    check,
    severity: 'error',
    name,
    file,
    message: summary,
    summary,
    hint: remedy(check, remedied),
    ...(key !== undefined && check.startsWith('key-') && ofKeyFile(check, remedied, key, file)),
  }));
}

/** Where the key has a file of its own, that is the file to look at. Why a key cannot be read, its own error says. */
function ofKeyFile(
  check: CheckId,
  remedied: Remedied,
  { target, content }: Slot<PrivateKey>,
  certificateFile: string,
): Partial<Finding> {
  if (content.status === 'unreadable') {
    const { message } = content.error;
    return { file: target.path, message, ...hintOf(content.error) };
  }
  if (target.path === certificateFile) return {};
  return check === 'key-missing'
    ? { file: target.path, message: `no such file: the certificate ${remedied.name} has no key` }
    : { file: target.path, message: 'is not the key of its certificate' };
}

function examineAuthority(entry: AuthorityEntry, subject: Subject): readonly Finding[] {
  const { spec, bundle, certificatePath, keyPath } = entry;
  const remedied = { name: spec.name, external: false, caFile: certificatePath, command: subject.command };
  if (bundle.status === 'unreadable') {
    return [unreadable(spec.name, certificatePath, bundle.error, remedy('ca-no-ca', remedied))];
  }
  const inUse = inUseOf(entry, subject);
  // A missing CA is reported with the certificates that it should have signed.
  if (bundle.status === 'missing' || inUse === undefined) return [];
  const key = subject.keys?.get(spec.name)?.content;
  const judged = { bundle: bundle.value, inUse, key, now: subject.now };
  return authorityProblemsOf(judged).map(({ check, severity, message: summary }): Finding => {
    const hint =
      check === 'ca-serial' || check === 'ca-expired'
        ? remedyFor(entry, inUse, subject.command)
        : remedy(check, remedied);
    const finding = { check, severity, name: spec.name, summary, hint };
    if (check.startsWith('ca-key-') && key?.status === 'unreadable') {
      return { ...finding, file: keyPath, message: key.error.message, ...hintOf(key.error) };
    }
    return check === 'ca-key-other'
      ? { ...finding, file: keyPath, message: `does not belong to the CA certificate ${certificatePath}` }
      : { ...finding, file: certificatePath, message: summary };
  });
}

/** The error's own hint is the best one, but where this user may not read a key. */
function hintOf(error: KubepkiError): { readonly hint?: string } {
  const { hint } = error;
  return isLockedOut(error) || hint === undefined ? {} : { hint };
}

function missing(file: string, remedied: Remedied): Finding {
  const { name, external, caFile } = remedied;
  const message =
    external === true
      ? `no such file, and the key of ${caFile} is not here to make it`
      : `no such file: the certificate ${name} is missing`;
  const hint = remedy('missing', remedied);
  return { check: 'missing', severity: 'error', name, file, message, summary: 'is missing', hint };
}

/** The error's own hint is the best one. */
function unreadable(name: string, path: string, error: KubepkiError, remedy: string | undefined): Finding {
  const { file = path, message, hint = isLockedOut(error) ? 'run it as root' : remedy } = error;
  return { check: 'unreadable', severity: 'error', name, file, message, summary: 'cannot be read', hint };
}

function isLockedOut({ code }: KubepkiError): boolean {
  return code === 'no-permission';
}

/** The file that holds the certificate, or would. */
function certificatePathOf({ kind, state, certificatePath }: CertificateEntry): string {
  const named = kind === 'kubeconfig' && state.status === 'present' ? state.value.certificateFile : undefined;
  return named?.path ?? certificatePath;
}
