import { replaceFile, type FileChange } from '../../changeset/change-set.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import type { AuthorityCopy } from '../../inventory/authority-copies.ts';
import { readPartialKubeconfig } from '../../kubeconfig/read.ts';
import { rewriteKubeconfig } from '../../kubeconfig/rewrite.ts';
import { certificateBlocks, type Certificate } from '../../pki/certificate/certificate.ts';
import { replaceBlocks } from '../../pki/der/pem.ts';
import { lastingLongest } from '../../pki/issue/issuer.ts';
import { isReissueOf } from '../../pki/issue/reissue.ts';
import type { ReadBack } from '../places/place.ts';

/** A CA's certificate, and the one that takes its place wherever it is: of the same name and key, so that no CA is added or lost. */
export interface Replacement {
  /** undefined: whichever a copy has of that CA. */
  readonly old: Certificate | undefined;
  readonly next: Certificate;
}

/** A copy that will hold other certificates. */
export interface ChangedCopy {
  readonly copy: AuthorityCopy;
  readonly change: FileChange;
  /** What it will hold, all of it. */
  readonly pem: Buffer;
  /** The certificates of these that are new in it. */
  readonly gets: readonly Certificate[];
}

/**
 * The certificate of a copy that is replaced: that very one, else the one of the same CA that ends last. Others of that CA stay, as all
 * others do: a certificate that ends earlier does no harm.
 * @returns undefined where the copy has none of that CA, or the next one already
 */
export function replacedIn(
  { certificates }: AuthorityCopy,
  { old, next }: Replacement,
  now: Date,
): Certificate | undefined {
  const ofThisCa = certificates.filter((one) => isReissueOf(one, next));
  if (ofThisCa.some(({ der }) => der.equals(next.der))) return undefined;
  return ofThisCa.find(({ der }) => old?.der.equals(der)) ?? lastingLongest(ofThisCa, now);
}

/**
 * The copies that change, each with all that changes in it; every byte beside those certificates stays.
 * @throws KubepkiError bad-kubeconfig, naming the file, for one that cannot be rewritten
 */
export function replaceAuthorities(
  copies: readonly AuthorityCopy[],
  replacements: readonly Replacement[],
  now: Date,
): ChangedCopy[] {
  return copies.flatMap((copy) => {
    const pairs = replacements.flatMap((one) => {
      const replaced = replacedIn(copy, one, now);
      return replaced === undefined ? [] : [{ replaced, next: one.next }];
    });
    if (pairs.length === 0) return [];
    const pem = replaceBlocks(copy.pem, ({ label, hasHeaders, der }) =>
      label === 'CERTIFICATE' && !hasHeaders
        ? pairs.find(({ replaced }) => replaced.der.equals(der))?.next.der
        : undefined,
    );
    const gets = pairs.map(({ next }) => next);
    return [{ copy, change: replaceFile(copy.target, contentOf(copy, pem), 0o644), pem, gets }];
  });
}

function contentOf(copy: AuthorityCopy, pem: Buffer): Buffer | string {
  if (copy.kind === 'file') return pem;
  return naming(copy.target.path, () =>
    rewriteKubeconfig(copy.kubeconfig, { clusterCaPem: pem.toString('utf8') }),
  );
}

/**
 * Whether what was read back from disk is what was planned: in each copy the certificates that it had, the replaced ones excepted.
 * @throws KubepkiError verification
 */
export function verifyReplaced(
  changed: readonly ChangedCopy[],
  replacements: readonly Replacement[],
  read: ReadBack,
): void {
  for (const { copy, pem } of changed) {
    const held = heldIn(copy, read(copy.target));
    const blocks = certificateBlocks(held);
    const before = certificateBlocks(copy.pem);
    const isAsPlanned =
      held.equals(pem) &&
      blocks.length === before.length &&
      blocks.every(
        (der, index) =>
          before[index]?.equals(der) === true || replacements.some(({ next }) => next.der.equals(der)),
      );
    if (isAsPlanned) continue;
    throw new KubepkiError('verification', 'read back from disk, it holds other CAs than it was to hold', {
      file: copy.target.path,
    });
  }
}

function heldIn(copy: AuthorityCopy, bytes: Buffer): Buffer {
  if (copy.kind === 'file') return bytes;
  const { clusterCa } = readPartialKubeconfig(bytes.toString('utf8'));
  return clusterCa.kind === 'data' ? clusterCa.bytes : Buffer.alloc(0);
}
