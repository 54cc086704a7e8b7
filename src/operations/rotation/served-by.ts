import type { Chain } from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import type { RotatedAuthority } from './plan.ts';
import type { ServerStatus } from './status.ts';

/** Of which CA a chain is that a server shows. */
export function servedBy(
  [leaf, ...others]: Chain,
  { old, next, cross }: RotatedAuthority,
): ServerStatus['serves'] {
  if (isIssuedBy(leaf, old)) return 'old';
  if (isIssuedBy(leaf, next))
    return others.some(({ der }) => der.equals(cross.der)) ? 'next-with-cross' : 'next';
  return leaf.issuer.equals(leaf.subject) ? 'self' : 'other';
}
