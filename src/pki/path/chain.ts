import type { Certificate, Chain } from '../certificate/certificate.ts';
import { isIssuedBy } from '../issue/issuer.ts';

// No real path is longer; a file full of certificates must not cost a signature check for every pair of them.
const maxIntermediates = 10;

/** Does the leaf lead to one of the CAs, directly or over the certificates that follow it in its file? */
export function chainsTo([leaf, ...others]: Chain, authorities: Chain): boolean {
  return pathTo(leaf, others, authorities) !== undefined;
}

/** How a leaf leads to a CA. */
interface Path {
  /** In order; without the CA itself. */
  readonly intermediates: readonly Certificate[];
  readonly authority: Certificate;
}

/**
 * How a leaf leads to one of the CAs. Of several ways the shortest: an intermediate may have been signed by more than one CA.
 * @returns undefined when it does not
 */
export function pathTo(
  leaf: Certificate,
  others: readonly Certificate[],
  authorities: readonly Certificate[],
): Path | undefined {
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
  const [issuer] = others;
  return issuer !== undefined && isIssuedBy(leaf, issuer) ? others : [];
}
