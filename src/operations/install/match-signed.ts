import type { CertificateSpec } from '../../catalog/catalog.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { Pending } from './pending.ts';
import type { InstallSettings } from './install-settings.ts';
import { certificateInUse } from '../change/facts-in-use.ts';

interface SignedCertificate {
  readonly leaf: Certificate;
  /** What came with it in the same file. */
  readonly others: readonly Certificate[];
}

export interface Match {
  readonly pending: Pending;
  readonly signed: SignedCertificate;
  readonly source: FileTarget;
  /** It is the certificate that is in use already, with its key in place. */
  readonly inUse: boolean;
}

/** Every certificate for the key that waits, the one that ends last first. */
export function matchesFor(
  pending: Pending,
  inventory: Inventory,
  { files, keysInUse }: InstallSettings,
): Match[] {
  const publicKey = publicKeyOf(pending.key);
  const live = keysInUse.isLive(publicKey) ? certificateInUse(inventory, pending.spec) : undefined;
  return files
    .flatMap(({ target, content }): Match[] => {
      if (content.status !== 'present') return [];
      const leaf = content.value.find((certificate) => isSameKey(certificate.publicKey, publicKey));
      if (leaf === undefined) return [];
      const others = content.value.filter((certificate) => certificate !== leaf);
      const inUse = live?.der.equals(leaf.der) === true;
      return [{ pending, signed: { leaf, others }, source: target, inUse }];
    })
    .sort((a, b) => b.signed.leaf.notAfter.getTime() - a.signed.leaf.notAfter.getTime());
}

/** The first of its request. */
export function isBest({ pending }: Match, index: number, matches: readonly Match[]): boolean {
  return matches.findIndex((one) => one.pending === pending) === index;
}

/** `generate-csr`: the certificate is expected where it is used, beside its key. */
export function isPlace({ resolvedPath }: FileTarget, inventory: Inventory, spec: CertificateSpec): boolean {
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  return (
    entry?.kind === 'leaf' &&
    entry.state.status === 'present' &&
    entry.state.value.file.resolvedPath === resolvedPath
  );
}
