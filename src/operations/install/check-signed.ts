import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { findExtension, type Extension } from '../../pki/extension/extension.ts';
import { attributesOf } from '../../pki/der/name.ts';
import type { PathOutcome } from '../../pki/path/path.ts';
import { parseSubjectAltName } from '../../pki/extension/subject-alt-name.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { problemsOf, type CertificateCheck } from '../examination/certificate-checks.ts';

/** What the CSR asks of the CA. */
export interface Asked {
  /** DER of the Name. */
  readonly subject: Buffer;
  readonly subjectAltName: Extension | undefined;
}

/** What is wrong with a signed certificate, and what the CA must do differently. */
export interface Fault {
  /** The operator can allow `names` only. `nameless`: the certificate has none at all of the names that were asked for. */
  readonly kind: CertificateCheck | 'subject' | 'names' | 'end';
  readonly message: string;
  readonly hint: string;
}

interface SigningContext {
  readonly spec: CertificateSpec;
  /** The certificates of the file, the leaf first. */
  readonly chain: Chain;
  /** The path from the leaf to its CA. */
  readonly path: PathOutcome;
  /** The CA's file, for messages. */
  readonly caFile: string;
  /** The certificate that it would replace. */
  readonly replaces: Certificate | undefined;
  readonly now: Date;
}

export function faultsOf(
  asked: Asked,
  { spec, chain, path, caFile, replaces, now }: SigningContext,
): Fault[] {
  const [leaf] = chain;
  const problems = problemsOf({ chain, usages: spec.usages, path, caFile, key: undefined, now })
    // Of a serving certificate without names, `nameFaults` tells which ones it lacks.
    .filter(({ check }) => check !== 'nameless')
    .map(({ check, message }) => ({ kind: check, message, hint: remedyAtCa(check, spec, caFile) }));
  return [
    ...problems,
    ...subjectFaults(leaf, asked),
    ...nameFaults(leaf, asked, spec),
    ...endFaults(leaf, replaces, now),
  ];
}

const dayMs = 24 * 3600 * 1000;

/**
 * Why a certificate with such an end may not be put in place: a component would stop before the operator looks at it again.
 * A signer that gives 90 days is right.
 * @param inUse the certificate that it would replace
 * @returns a predicate of the certificate
 */
export function endProblem(
  notAfter: Date,
  inUse: Pick<Certificate, 'notAfter'> | undefined,
  now: Date,
): string | undefined {
  const leftMs = notAfter.getTime() - now.getTime();
  if (leftMs <= dayMs) return `ends on ${isoSeconds(notAfter)}, which is within 24 hours`;
  const isSoon = leftMs <= 7 * dayMs;
  if (!isSoon || inUse === undefined || inUse.notAfter.getTime() - now.getTime() < 30 * dayMs)
    return undefined;
  const [end, other] = [isoSeconds(notAfter), isoSeconds(inUse.notAfter)];
  return `ends on ${end}, which is within 7 days, and the one in use on ${other}`;
}

/** A certificate that has ended already is another fault, `expired`. */
function endFaults(leaf: Certificate, replaces: Certificate | undefined, now: Date): Fault[] {
  const isOver = leaf.notAfter.getTime() < now.getTime();
  const message = isOver ? undefined : endProblem(leaf.notAfter, replaces, now);
  const hint = 'have the CSR signed again, for longer (openssl: -days 365), by a CA that itself ends later';
  return message === undefined ? [] : [{ kind: 'end', message, hint }];
}

/** What the CA must do differently. */
function remedyAtCa(check: CertificateCheck, { usages }: CertificateSpec, caFile: string): string {
  const behind = 'where an intermediate CA signs, put its certificate behind the leaf in the same file';
  switch (check) {
    case 'foreign':
      return `sign the CSR with the key of ${caFile}; ${behind}`;
    case 'untrusted':
      return `sign the CSR with a valid CA that leads to ${caFile}; ${behind}`;
    case 'signature':
      return 'the CA must sign with SHA-256 or better (openssl ca: default_md = sha256)';
    case 'serial':
      return 'the CA must use positive serial numbers (RFC 5280, 4.1.2.2)';
    case 'extensions':
      return 'the CA must leave it out, or not mark it critical';
    case 'usages':
      return `the CA must set extendedKeyUsage to ${usages.join(', ')} (the CSR does not ask for it)`;
    case 'ca':
      return 'the CA must set basicConstraints to CA:FALSE and leave keyCertSign out of keyUsage';
    case 'expired':
      return 'have the CSR signed again, with an end in the future';
    case 'not-yet-valid':
      return "have it signed with a beginning in the past, or check this machine's clock and the CA's";
    case 'order':
      return 'put the leaf first, and the intermediates that signed it behind it';
    case 'nameless':
    case 'key-missing':
    case 'key-locked':
    case 'key-unreadable':
    case 'key-other':
      return 'have the CSR signed again';
  }
}

// Kubernetes takes CN for the user and O for the groups: another subject is another identity.
function subjectFaults(leaf: Certificate, asked: Asked): Fault[] {
  const difference = differenceOf(attributesOf(asked.subject), attributesOf(leaf.subject));
  if (difference === undefined) return [];
  return [
    {
      kind: 'subject',
      message: `has another subject than the CSR: ${difference}`,
      hint: 'the CA must take the subject from the CSR as it is (openssl ca: a policy that lets every field through)',
    },
  ];
}

function nameFaults(leaf: Certificate, asked: Asked, { usages }: CertificateSpec): Fault[] {
  const found = parseSubjectAltName(findExtension(leaf.extensions, 'subjectAltName'));
  const difference = differenceOf(parseSubjectAltName(asked.subjectAltName), found);
  if (difference === undefined) return [];
  const message = `has other SANs than the CSR: ${difference}`;
  const hint =
    'the CA must copy the SANs from the CSR (openssl ca: copy_extensions = copy; certtool: honor_crq_extensions)';
  // RFC 6125, 6.4.4, and Go since 1.17: no client accepts a server without a name among the SANs, so such a
  // certificate is of no use.
  const nameless = usages.includes('serverAuth') && !found.some((name) => /^(?:DNS|IP):/.test(name));
  return nameless
    ? [{ kind: 'nameless', message, hint }]
    : [{ kind: 'names', message, hint: `${hint}; if the difference is wanted: --allow-changes` }];
}

/** `missing X, added Y`; undefined when both hold the same. */
function differenceOf(asked: readonly string[], found: readonly string[]): string | undefined {
  const missing = asked.filter((one) => !found.includes(one));
  const added = found.filter((one) => !asked.includes(one));
  const parts = [
    ...(missing.length === 0 ? [] : [`missing ${missing.join(', ')}`]),
    ...(added.length === 0 ? [] : [`added ${added.join(', ')}`]),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}
