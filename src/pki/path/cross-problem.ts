import type { Certificate } from '../certificate/certificate.ts';
import { findExtension } from '../extension/extension.ts';
import { isIssuedBy } from '../issue/issuer.ts';
import { isSameKey } from '../key/public-key.ts';
import { constrainsSubjects } from './name-constraints.ts';
import { pathLength, unfitSigner } from './path.ts';

/**
 * Why a leaf of one CA would not be trusted by all that trust only another, although a cross-certificate of that other one stands behind
 * the leaf. What constrains the names of nodes is no reason: leaves of the old CA have the same.
 */
export function crossProblem(old: Certificate, next: Certificate): string | undefined {
  // OpenSSL and node trust it only together with the root above, which has a say in the length of the path.
  if (!isIssuedBy(old, old))
    return 'the old CA does not sign itself: the CA above it would have to be replaced';
  const [ofOld, ofNext] = [unfitSigner(old), unfitSigner(next)];
  if (ofOld !== undefined) return `the old CA is one ${ofOld}`;
  if (ofNext !== undefined) return `the new CA is one ${ofNext}`;
  if (isSameKey(old.publicKey, next.publicKey)) return 'the new CA has the key of the old one';
  // GnuTLS refuses the leaf even where it trusts the new CA, too.
  if (pathLength(old) === 0) return 'the old CA allows no CA below it (pathlen:0 in its basicConstraints)';
  if (constrainsSubjects(old))
    return 'the old CA is constrained in the subjects it may sign for (nameConstraints)';
  // OpenSSL and node take the old CA for the one that has signed a leaf of the new one, and GnuTLS the other way round.
  if (
    old.subject.equals(next.subject) &&
    findExtension(old.extensions, 'subjectKeyIdentifier') === undefined
  ) {
    return 'the new CA has the name of the old one, which has no subject key identifier to tell them apart';
  }
  return undefined;
}
