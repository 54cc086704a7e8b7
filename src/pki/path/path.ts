import { isCa, type Certificate, type Chain } from '../certificate/certificate.ts';
import { pathTo } from './chain.ts';
import { unhandledExtension } from './critical-extensions.ts';
import { contentOf, isUniversal, parseDer, partsOf } from '../der/der.ts';
import { missingUsages } from '../extension/extended-key-usage.ts';
import { findExtension } from '../extension/extension.ts';
import { hasNegativeSerial } from '../certificate/facts.ts';
import { hasSigned } from '../issue/issuer.ts';
import { assertsKeyUsage } from '../extension/key-usage.ts';
import { constraintProblem } from './name-constraints.ts';
import { attributesOf } from '../der/name.ts';
import { isoSeconds } from '../der/time.ts';

export type PathOutcome =
  /** The intermediates between the leaf and a CA, in order. */
  | { readonly status: 'trusted'; readonly intermediates: readonly Certificate[] }
  /** No signature leads to a CA by its name. `misnamed`: one of them has signed it, but is named in other bytes. */
  | { readonly status: 'unrelated'; readonly misnamed: boolean }
  /** A signature leads to a CA, over something that a verifier refuses. */
  | { readonly status: 'untrusted'; readonly reason: string };

/**
 * Path validation (RFC 5280, 6.1) as Go's crypto/x509 does it, which is what verifies certificates in Kubernetes: who may
 * sign, when, for which names and usages.
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

/** The same at any moment. */
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

/** RFC 5280, 4.2.1.9: pathLenConstraint counts the intermediates below a CA. From the leaf's own signer upwards. */
function pathLengthProblem(signers: readonly Certificate[]): string | undefined {
  for (const [below, signer] of signers.entries()) {
    const most = pathLength(signer);
    if (most !== undefined && below > most) {
      return `is signed over ${String(below)} intermediate CA(s), and ${nameOf(signer)} allows ${String(most)} (pathlen)`;
    }
  }
  return undefined;
}

function pathLength(certificate: Certificate): number | undefined {
  const constraints = findExtension(certificate.extensions, 'basicConstraints');
  const length =
    constraints && partsOf(parseDer(constraints.value)).find((part) => isUniversal(part, 'integer'));
  return length && Number(BigInt(`0x${contentOf(length).toString('hex') || '0'}`));
}

function nameOf({ subject }: Certificate): string {
  return `"${attributesOf(subject).join(', ')}"`;
}
