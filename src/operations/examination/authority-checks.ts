import type { Reading } from '../../inventory/reading.ts';
import { hasNegativeSerial, isCa, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import { certificateOfKey, isIssuedBy, lastingLongest } from '../../pki/issue/issuer.ts';
import { attributesOf } from '../../pki/der/name.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { unfitSigner } from '../../pki/path/path.ts';
import { isLocked } from './certificate-checks.ts';

/** `error`: the certificate does not work, or peers refuse it. `warning`: it works, and deserves a look. */
export type Severity = 'error' | 'warning';

/** The certificates of a CA's file, and all that they are judged by. */
interface JudgedAuthority {
  readonly bundle: Chain;
  readonly inUse: Certificate;
  /** undefined: no key was looked at. */
  readonly key: Reading<PrivateKey> | undefined;
  readonly now: Date;
}

interface Check {
  readonly id: string;
  readonly severity: Severity;
  /** Predicates of the file. */
  readonly problems: (judged: JudgedAuthority) => readonly string[];
}

const table = [
  { id: 'ca-no-ca', severity: 'error', problems: noCa },
  { id: 'ca-serial', severity: 'error', problems: serial },
  { id: 'ca-unfit', severity: 'error', problems: unfit },
  { id: 'ca-expired', severity: 'error', problems: expired },
  { id: 'ca-not-yet-valid', severity: 'error', problems: notYetValid },
  { id: 'ca-key-locked', severity: 'error', problems: keyLocked },
  { id: 'ca-key-unreadable', severity: 'error', problems: keyUnreadable },
  { id: 'ca-key-other', severity: 'error', problems: keyOther },
  { id: 'block-unparsable', severity: 'error', problems: otherUnparsable },
  { id: 'block-no-ca', severity: 'warning', problems: otherNoCa },
  { id: 'block-expired', severity: 'warning', problems: otherExpired },
] as const satisfies readonly Check[];

export type AuthorityCheck = (typeof table)[number]['id'];

interface AuthorityProblem {
  readonly check: AuthorityCheck;
  readonly severity: Severity;
  readonly message: string;
}

export function authorityProblemsOf(judged: JudgedAuthority): AuthorityProblem[] {
  return table.flatMap(({ id, severity, problems }) =>
    problems(judged).map((message) => ({ check: id, severity, message })),
  );
}

/**
 * The certificate of a CA's file with which the CA signs: its key's. Where the key is elsewhere, or was not looked at, it is the
 * one that has signed the CA's leaves; without leaves, the first, as for kubeadm.
 */
export function authorityInUse(
  bundle: Chain,
  key: Reading<PrivateKey> | undefined,
  leaves: readonly Certificate[],
  now: Date,
): Certificate {
  const own = key?.status === 'present' ? certificateOfKey(bundle, key.value, now) : undefined;
  if (own !== undefined || bundle.length === 1) return own ?? bundle[0];
  const signers = bundle.filter((one) => leaves.some((leaf) => isIssuedBy(leaf, one)));
  return lastingLongest(signers, now) ?? bundle[0];
}

// RFC 5280, 4.2.1.9. kubeadm stops for it: "certificate CA is not a CA".
function noCa({ inUse }: JudgedAuthority): string[] {
  return isCa(inUse) ? [] : ['is not a CA certificate (basicConstraints lacks CA:TRUE)'];
}

// RFC 5280, 4.1.2.2; Go parses no such certificate since 1.23.
function serial({ inUse }: JudgedAuthority): string[] {
  return hasNegativeSerial(inUse) ? ['holds a CA certificate with a negative serial number'] : [];
}

function unfit({ inUse }: JudgedAuthority): string[] {
  const problem = isCa(inUse) && !hasNegativeSerial(inUse) ? unfitSigner(inUse) : undefined;
  return problem === undefined ? [] : [`holds a CA certificate ${problem}`];
}

function expired({ inUse, now }: JudgedAuthority): string[] {
  return hasExpired(inUse, now) ? [`the CA expired on ${isoSeconds(inUse.notAfter)}`] : [];
}

function notYetValid({ inUse: { notBefore }, now }: JudgedAuthority): string[] {
  return notBefore.getTime() > now.getTime() ? [`the CA is not valid before ${isoSeconds(notBefore)}`] : [];
}

function keyUnreadable({ key }: JudgedAuthority): string[] {
  return key?.status === 'unreadable' && !isLocked(key) ? ['has a private key that cannot be read'] : [];
}

function keyLocked({ key }: JudgedAuthority): string[] {
  return isLocked(key) ? ['has a private key that may not be read'] : [];
}

function keyOther({ bundle, key, now }: JudgedAuthority): string[] {
  if (key?.status !== 'present' || certificateOfKey(bundle, key.value, now) !== undefined) return [];
  return ['belongs to another private key than the one that is there'];
}

// client-go reads all of a CA file or nothing (cert.ParseCertsPEM): a certificate that Go cannot parse spoils the others.
function otherUnparsable(judged: JudgedAuthority): string[] {
  return others(judged)
    .filter(hasNegativeSerial)
    .map((one) => `holds a certificate with a negative serial number (${nameOf(one)})`);
}

function otherNoCa(judged: JudgedAuthority): string[] {
  return others(judged)
    .filter((one) => !isCa(one))
    .map((one) => `holds a certificate that is no CA's (${nameOf(one)})`);
}

function otherExpired(judged: JudgedAuthority): string[] {
  return others(judged)
    .filter((one) => hasExpired(one, judged.now))
    .map((one) => `holds a certificate that expired on ${isoSeconds(one.notAfter)} (${nameOf(one)})`);
}

function others({ bundle, inUse }: JudgedAuthority): Certificate[] {
  return bundle.filter((one) => one !== inUse);
}

function hasExpired({ notAfter }: Certificate, now: Date): boolean {
  return notAfter.getTime() < now.getTime();
}

function nameOf({ subject }: Certificate): string {
  return attributesOf(subject).join(', ');
}
