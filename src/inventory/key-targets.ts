import type { FileTarget, Naming } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { CertificateEntry, Inventory } from './inventory.ts';
import type { Layout } from './layout.ts';
import { named, namingOf, readFile, reading, type Reading } from './reading.ts';

/** Key files by host path. */
export type KeyTargets = ReadonlyMap<string, Reading<FileTarget>>;

/**
 * What a renewal would replace besides the certificates: key files, each as it is now. One that does not exist is a
 * target too, as kubeadm renews without the old key.
 */
export function readKeyTargets(inventory: Inventory): KeyTargets {
  return new Map(
    inventory.certificates.flatMap((entry) => {
      const place = keyPlaceOf(entry);
      if (place === undefined) return [];
      const { path, namedBy } = place;
      return [[path, reading(path, () => readKeyTarget(inventory.layout, path, namedBy))] as const];
    }),
  );
}

/**
 * A key file that may be replaced by another one. In a place of its own kubeadm replaces anything, and so do we. A kubeconfig
 * may lead to any file, and there only a key makes room for a key; so does what is empty, or nothing but zeros, as a power cut
 * may leave a file.
 * @param namedBy undefined: kubeadm's own place for it
 * @throws KubepkiError conflict
 */
export function readKeyTarget(
  { root }: Pick<Layout, 'root'>,
  path: string,
  namedBy: Naming | undefined,
): FileTarget {
  const { target, bytes } = readFile(root, path);
  if (bytes === undefined || target.before === undefined) return named(target, namedBy);
  if (keyBlock.test(bytes.toString('latin1'))) return named(target, namedBy);
  // A file that was no key may be readable by all, as a certificate is that another user has moved there.
  const closed = { ...target, before: { ...target.before, mode: 0o600 } };
  if (namedBy === undefined || bytes.every((byte) => byte === 0)) return named(closed, namedBy);
  throw new KubepkiError(
    'conflict',
    `holds no private key, so none is written there, though ${namedBy.path} names it`,
    {
      file: path,
      hint: 'name a file of its own for the key in the kubeconfig, or move this one away',
    },
  );
}

// Also of a file that has been cut off.
const keyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

function keyPlaceOf(
  entry: CertificateEntry,
): { readonly path: string; readonly namedBy: Naming | undefined } | undefined {
  if (entry.state.status !== 'present') return undefined;
  if (entry.kind === 'leaf') return { path: entry.keyPath, namedBy: undefined };
  const { keyPath, file } = entry.state.value;
  return keyPath === undefined ? undefined : { path: keyPath, namedBy: namingOf(file) };
}
