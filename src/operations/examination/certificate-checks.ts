import type { Reading } from '../../inventory/reading.ts';
import { hasNegativeSerial, isCa, type Certificate, type Chain } from '../../pki/certificate/certificate.ts';
import { unhandledExtension, type PathOutcome } from '../../pki/path/path.ts';
import { assertsKeyUsage, missingUsages, type Usage } from '../../pki/extension/key-usage.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSoundAlgorithm } from '../../pki/issue/signature.ts';
import { isNameless } from '../../pki/extension/subject-alt-name.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { isoSeconds } from '../../pki/der/time.ts';

/** A certificate, and all that it is judged by. */
interface Judged {
  /** The certificates of its file. kubeadm and Go's TLS take the first for the leaf. */
  readonly chain: Chain;
  /** The usages that it must have. */
  readonly usages: readonly Usage[];
  /** The path from the leaf to its CA; undefined: the CA could not be read. */
  readonly path: PathOutcome | undefined;
  /** The CA's file, for messages. */
  readonly caFile: string;
  /** undefined: no key was looked at. */
  readonly key: Reading<PrivateKey> | undefined;
  readonly now: Date;
}

interface Check {
  readonly id: string;
  /** A predicate of the certificate (`is …`, `has …`); undefined: nothing is wrong, or it is not known. */
  readonly problem: (judged: Judged) => string | undefined;
}

/** A leaf is judged by these wherever it is: in its place, inside a kubeconfig, on its way back from a CA. */
const table = [
  { id: 'order', problem: order },
  { id: 'ca', problem: authority },
  { id: 'foreign', problem: foreign },
  { id: 'untrusted', problem: untrusted },
  { id: 'signature', problem: signature },
  { id: 'serial', problem: serial },
  { id: 'extensions', problem: extensions },
  { id: 'usages', problem: usages },
  { id: 'nameless', problem: nameless },
  { id: 'key-missing', problem: keyMissing },
  { id: 'key-locked', problem: keyLocked },
  { id: 'key-unreadable', problem: keyUnreadable },
  { id: 'key-other', problem: keyOther },
  { id: 'expired', problem: expired },
  { id: 'not-yet-valid', problem: notYetValid },
] as const satisfies readonly Check[];

export type CertificateCheck = (typeof table)[number]['id'];

interface CertificateProblem {
  readonly check: CertificateCheck;
  readonly message: string;
}

/** The problems in the table's order. Of a CA's certificate in the place of a leaf, only the first is worth a message. */
export function problemsOf(judged: Judged): CertificateProblem[] {
  const problems = table.flatMap(({ id, problem }) => {
    const message = problem(judged);
    return message === undefined ? [] : [{ check: id, message }];
  });
  return isCa(judged.chain[0]) ? problems.slice(0, 1) : problems;
}

function order({ chain: [first, ...others] }: Judged): string | undefined {
  return isCa(first) && others.some((one) => !isCa(one))
    ? 'holds a CA certificate before the leaf, which must be the first in its file'
    : undefined;
}

// RFC 5280, 4.2.1.9 and 4.2.1.3: with either, the holder of this key could sign certificates for the whole cluster.
function authority({ chain: [leaf] }: Judged): string | undefined {
  if (isCa(leaf)) return 'is a CA certificate (CA:TRUE)';
  return assertsKeyUsage(leaf, 'keyCertSign') === true ? 'may sign certificates (keyCertSign)' : undefined;
}

function foreign({ path, caFile }: Judged): string | undefined {
  if (path?.status !== 'unrelated') return undefined;
  // RFC 5280, 7.1 would compare the text; Go compares the bytes, string types and all.
  return path.misnamed
    ? `names its CA in another encoding than ${caFile}, so that Kubernetes does not know that CA again`
    : `is not signed by the CA of ${caFile}`;
}

function untrusted({ path }: Judged): string | undefined {
  return path?.status === 'untrusted' ? path.reason : undefined;
}

// Go verifies no SHA-1 (crypto/x509, since 1.18) and no MD5.
function signature(judged: Judged): string | undefined {
  return presented(judged).every(({ signatureAlgorithm }) => isSoundAlgorithm(signatureAlgorithm))
    ? undefined
    : 'is signed with an algorithm that Kubernetes refuses, such as SHA-1 or MD5';
}

// RFC 5280, 4.1.2.2. Go parses no such certificate since 1.23; zero it takes, and kubeadm's CAs had it until 1.2x.
function serial(judged: Judged): string | undefined {
  return presented(judged).some(hasNegativeSerial) ? 'has a negative serial number' : undefined;
}

function extensions({ chain: [leaf] }: Judged): string | undefined {
  const unhandled = unhandledExtension(leaf);
  return unhandled === undefined ? undefined : `has ${unhandled}`;
}

function usages({ chain: [leaf], usages: wanted }: Judged): string | undefined {
  const missing = missingUsages(leaf, wanted);
  return missing.length === 0 ? undefined : `lacks the extended key usage ${missing.join(' and ')}`;
}

function nameless({ chain: [leaf], usages: wanted }: Judged): string | undefined {
  return isNameless({ usages: wanted }, findExtension(leaf.extensions, 'subjectAltName'))
    ? 'has no SAN, so no client accepts the server'
    : undefined;
}

function keyMissing({ key }: Judged): string | undefined {
  return key?.status === 'missing' ? 'has no private key' : undefined;
}

// This user does not know the content of a locked key: root may find the key sound.
function keyLocked({ key }: Judged): string | undefined {
  return isLocked(key) ? 'has a private key that may not be read' : undefined;
}

function keyUnreadable({ key }: Judged): string | undefined {
  return key?.status === 'unreadable' && !isLocked(key) ? 'has a private key that cannot be read' : undefined;
}

export function isLocked(key: Reading<unknown> | undefined): boolean {
  return key?.status === 'unreadable' && key.error.code === 'no-permission';
}

function keyOther({ chain: [leaf], key }: Judged): string | undefined {
  if (key?.status !== 'present') return undefined;
  return isSameKey(leaf.publicKey, publicKeyOf(key.value))
    ? undefined
    : 'belongs to another private key than the one that is there';
}

// RFC 5280, 4.1.2.5: both ends belong to the period.
function expired({ chain: [leaf], now }: Judged): string | undefined {
  return leaf.notAfter.getTime() < now.getTime() ? `expired on ${isoSeconds(leaf.notAfter)}` : undefined;
}

function notYetValid({ chain: [leaf], now }: Judged): string | undefined {
  return leaf.notBefore.getTime() > now.getTime()
    ? `is not valid before ${isoSeconds(leaf.notBefore)}`
    : undefined;
}

/** The certificates that a peer has to verify. */
function presented({ chain: [leaf], path }: Judged): readonly Certificate[] {
  return [leaf, ...(path?.status === 'trusted' ? path.intermediates : [])];
}
