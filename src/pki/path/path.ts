import { hasNegativeSerial, isCa, type Certificate, type Chain } from '../certificate/certificate.ts';
import { contentOf, isUniversal, parseDer, partsOf } from '../der/der.ts';
import { attributesOf } from '../der/name.ts';
import { isoSeconds } from '../der/time.ts';
import { extensionIds, findExtension } from '../extension/extension.ts';
import { assertsKeyUsage, missingUsages } from '../extension/key-usage.ts';
import { parseSubjectAltName } from '../extension/subject-alt-name.ts';
import { hasSigned, isIssuedBy } from '../issue/issuer.ts';
import { constraintProblem } from './name-constraints.ts';

export type PathOutcome =
  /** The intermediates between the leaf and a CA, in order. */
  | { readonly status: 'trusted'; readonly intermediates: readonly Certificate[] }
  /** No signature leads to a CA by its name. `misnamed`: a CA has signed the leaf, which names it in other bytes. */
  | { readonly status: 'unrelated'; readonly misnamed: boolean }
  /** Signatures lead to a CA over a certificate that a verifier refuses. */
  | { readonly status: 'untrusted'; readonly reason: string };

/**
 * Path validation (RFC 5280, 6.1) as Go's crypto/x509 does it, which verifies the certificates of Kubernetes: who may sign,
 * when, and for which names and usages.
 * @param others what came with the leaf, in any order
 */
export function validatePath(
  leaf: Certificate,
  others: readonly Certificate[],
  authorities: Chain,
  now: Date,
): PathOutcome {
  const problemOf = (signer: Certificate): string | undefined =>
    signerProblem(signer, now) ?? usageProblem(signer, leaf) ?? constraintProblem(signer, leaf);
  const valid = (certificate: Certificate): boolean => problemOf(certificate) === undefined;
  const path = pathTo(leaf, others.filter(valid), authorities.filter(valid));
  if (path !== undefined) {
    const tooLong = pathLengthProblem([...path.intermediates, path.authority]);
    return tooLong === undefined
      ? { status: 'trusted', intermediates: path.intermediates }
      : { status: 'untrusted', reason: tooLong };
  }
  const wrong = pathTo(leaf, others, authorities);
  if (wrong === undefined) {
    return { status: 'unrelated', misnamed: authorities.some((one) => hasSigned(one, leaf)) };
  }
  const [reason] = [...wrong.intermediates, wrong.authority].flatMap((signer) => {
    const problem = problemOf(signer);
    return problem === undefined ? [] : [`is signed by ${nameOf(signer)}, ${problem}`];
  });
  return reason === undefined ? { status: 'unrelated', misnamed: false } : { status: 'untrusted', reason };
}

/** Why a certificate of this signer is refused at that moment. */
export function signerProblem(signer: Certificate, now: Date): string | undefined {
  const unfit = unfitSigner(signer);
  if (unfit !== undefined) return unfit;
  if (signer.notAfter.getTime() < now.getTime()) return `which expired on ${isoSeconds(signer.notAfter)}`;
  if (signer.notBefore.getTime() > now.getTime()) {
    return `which is not valid before ${isoSeconds(signer.notBefore)}`;
  }
  return undefined;
}

/** Why a certificate of this signer is refused at any moment. */
export function unfitSigner(signer: Certificate): string | undefined {
  if (hasNegativeSerial(signer)) return 'which has a negative serial number';
  if (!isCa(signer)) return 'which is no CA (basicConstraints lacks CA:TRUE)';
  if (assertsKeyUsage(signer, 'keyCertSign') === false) {
    return 'which must not sign certificates (keyUsage lacks keyCertSign)';
  }
  const unhandled = unhandledExtension(signer);
  return unhandled === undefined ? undefined : `which has ${unhandled}`;
}

/** Go (not RFC 5280): a signer that names usages lends no others to what it signs. */
function usageProblem(signer: Certificate, leaf: Certificate): string | undefined {
  if (findExtension(signer.extensions, 'extendedKeyUsage') === undefined) return undefined;
  const wanted = (['serverAuth', 'clientAuth'] as const).filter(
    (usage) => missingUsages(leaf, [usage]).length === 0,
  );
  const missing = missingUsages(signer, wanted);
  return missing.length === 0 ? undefined : `whose extended key usage lacks ${missing.join(' and ')}`;
}

/**
 * RFC 5280, 4.2.1.9: pathLenConstraint counts the intermediates below a CA.
 * @param signers the leaf's own first
 */
function pathLengthProblem(signers: readonly Certificate[]): string | undefined {
  for (const [below, signer] of signers.entries()) {
    const most = pathLength(signer);
    if (most !== undefined && below > most) {
      return `is signed over ${String(below)} intermediate CA(s), and ${nameOf(signer)} allows ${String(most)} (pathlen)`;
    }
  }
  return undefined;
}

/** The most intermediates that may stand below a CA; undefined: any number. */
export function pathLength(certificate: Certificate): number | undefined {
  const constraints = findExtension(certificate.extensions, 'basicConstraints');
  const length =
    constraints && partsOf(parseDer(constraints.value)).find((part) => isUniversal(part, 'integer'));
  return length && Number(BigInt(`0x${contentOf(length).toString('hex') || '0'}`));
}

function nameOf({ subject }: Certificate): string {
  return `"${attributesOf(subject).join(', ')}"`;
}

// No real path is longer; a file full of certificates must not cost a signature check for every pair of them.
const maxIntermediates = 10;

/** Whether the leaf leads to one of the CAs, directly or over the certificates that follow it in its file. */
export function chainsTo([leaf, ...others]: Chain, authorities: Chain): boolean {
  return pathTo(leaf, others, authorities) !== undefined;
}

/**
 * How a leaf leads to one of the CAs. An intermediate may have been signed by more than one CA, and then the shortest path counts.
 * @returns undefined when no path leads to a CA
 */
function pathTo(
  leaf: Certificate,
  others: readonly Certificate[],
  authorities: readonly Certificate[],
): { readonly intermediates: readonly Certificate[]; readonly authority: Certificate } | undefined {
  const unseen = new Set(others.slice(0, maxIntermediates));
  // Breadth first, each certificate once: no more signature checks than pairs.
  const paths: Certificate[][] = [[]];
  for (const intermediates of paths) {
    const subject = intermediates.at(-1) ?? leaf;
    const authority = authorities.find((one) => isIssuedBy(subject, one));
    if (authority !== undefined) return { intermediates, authority };
    const signers = [...unseen].filter((certificate) => isIssuedBy(subject, certificate));
    for (const signer of signers) {
      unseen.delete(signer);
      paths.push([...intermediates, signer]);
    }
  }
  return undefined;
}

/**
 * The certificates that still belong behind a renewed leaf: the old ones, when the first of them issued the new leaf
 * too. kubeadm always drops them, and a server whose clients trust the root alone is then not trusted any more.
 */
export function chainBehind(leaf: Certificate, old: Chain): readonly Certificate[] {
  const [, ...others] = old;
  return others[0] !== undefined && isIssuedBy(leaf, others[0]) ? others : [];
}

// The extensions that Go's crypto/x509 handles. From Go 1.24 on it handles policyMappings, policyConstraints and inhibitAnyPolicy
// as well, but components of clusters in use were built with older ones.
const handled: ReadonlySet<string> = new Set([
  extensionIds.subjectKeyIdentifier,
  extensionIds.keyUsage,
  extensionIds.subjectAltName,
  extensionIds.basicConstraints,
  extensionIds.nameConstraints,
  extensionIds.authorityKeyIdentifier,
  extensionIds.extendedKeyUsage,
  '551d1f', // 2.5.29.31, cRLDistributionPoints
  '551d20', // 2.5.29.32, certificatePolicies
  '2b06010505070101', // 1.3.6.1.5.5.7.1.1, authorityInfoAccess
]);

/**
 * RFC 5280, 4.2: a verifier must refuse a certificate with a critical extension that it does not know. Kubernetes is written in
 * Go, so Go's knowledge counts.
 * @returns the extension in words
 */
export function unhandledExtension({ extensions }: Certificate): string | undefined {
  const critical = extensions.filter((extension) => extension.critical);
  const unknown = critical.find(({ id }) => !handled.has(id))?.der.toString('hex');
  if (unknown !== undefined) return `a critical extension that Go does not know (${unknown})`;
  const names = critical.find(({ id }) => id === extensionIds.subjectAltName);
  // Go knows DNS names, IP addresses, e-mail addresses and URIs, and does not understand a critical SAN without any of them.
  const understood = names === undefined || parseSubjectAltName(names).some((name) => !name.startsWith('['));
  return understood ? undefined : 'a critical SAN without a name that Go understands';
}
