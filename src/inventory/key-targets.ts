import type { FileTarget } from '../changeset/change-set.ts';
import type { CertificateEntry, Inventory } from './inventory.ts';
import { readFile, reading, type Reading } from './reading.ts';

/** Key files by host path. */
export type KeyTargets = ReadonlyMap<string, Reading<FileTarget>>;

/**
 * What a renewal would replace besides the certificates: key files, each as it is now. One that does not exist is a
 * target too, as kubeadm renews without the old key.
 */
export function readKeyTargets(inventory: Inventory): KeyTargets {
  const paths = inventory.certificates.map(keyPathOf).filter((path) => path !== undefined);
  return new Map(
    paths.map((path) => [path, reading(path, () => readFile(inventory.layout.root, path).target)] as const),
  );
}

function keyPathOf(entry: CertificateEntry): string | undefined {
  if (entry.state.status !== 'present') return undefined;
  return entry.kind === 'leaf' ? entry.keyPath : entry.state.value.keyPath;
}
