import type { Certificate, Chain } from './certificate.ts';
import { isIssuedBy } from './issuer.ts';

// No real path is longer; a file full of certificates must not cost a signature check for every pair of them.
const maxIntermediates = 10;

/** Does the leaf lead to one of the CAs, directly or over the certificates that follow it in its file? */
export function chainsTo([leaf, ...others]: Chain, authorities: Chain): boolean {
  return pathTo(leaf, others, authorities) !== undefined;
}

/**
 * The intermediates over which a leaf leads to one of the CAs, in order; without the CA itself.
 * @returns undefined when it does not
 */
export function pathTo(
  leaf: Certificate,
  others: readonly Certificate[],
  authorities: Chain,
): Certificate[] | undefined {
  const path: Certificate[] = [];
  const pending = new Set(others.slice(0, maxIntermediates));
  for (let current = leaf; ;) {
    const subject = current;
    if (authorities.some((authority) => isIssuedBy(subject, authority))) return path;
    const next = [...pending].find((certificate) => isIssuedBy(subject, certificate));
    if (next === undefined) return undefined;
    pending.delete(next);
    path.push(next);
    current = next;
  }
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
