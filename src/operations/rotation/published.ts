import { certificateBlocks } from '../../pki/certificate/certificate.ts';
import type { RotatedAuthority } from './plan.ts';
import type { Published } from './status.ts';

/** @param pem undefined: nothing is published there */
export function publishedIn(
  where: string,
  pem: string | undefined,
  authority: Pick<RotatedAuthority, 'old' | 'next'> | undefined,
): Published {
  const blocks = certificateBlocks(Buffer.from(pem ?? ''));
  const has = (der: Buffer | undefined): boolean =>
    der !== undefined && blocks.some((one) => one.equals(der));
  return { where, hasOld: has(authority?.old.der), hasNext: has(authority?.next.der) };
}
