import type { FileTarget, Naming } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Layout } from './layout.ts';
import { named, readFile } from './reading.ts';

/** @throws KubepkiError as {@link keyTarget}, and for what cannot be read */
export function readKeyTarget(
  { root }: Pick<Layout, 'root'>,
  path: string,
  namedBy: Naming | undefined,
): FileTarget {
  const { target, bytes } = readFile(root, path);
  return keyTarget(target, bytes, namedBy);
}

/**
 * A key file that may be replaced by another one; one that does not exist may be, too, as kubeadm renews without the old
 * key. In a place of its own kubeadm replaces anything, and so do we. A kubeconfig may lead to any file, and there only a key
 * makes room for a key; so does what is empty, or nothing but zeros, as a power cut may leave a file.
 * @param namedBy undefined: kubeadm's own place for it
 * @throws KubepkiError conflict
 */
export function keyTarget(
  target: FileTarget,
  bytes: Buffer | undefined,
  namedBy: Naming | undefined,
): FileTarget {
  if (bytes === undefined || target.before === undefined) return named(target, namedBy);
  if (keyBlock.test(bytes.toString('latin1'))) return named(target, namedBy);
  // A file that was no key may be readable by all, as a certificate is that another user has moved there.
  const closed = { ...target, before: { ...target.before, mode: 0o600 } };
  if (namedBy === undefined || bytes.every((byte) => byte === 0)) return named(closed, namedBy);
  throw new KubepkiError(
    'conflict',
    `holds no private key, so none is written there, though ${namedBy.path} names it`,
    {
      file: target.path,
      hint: 'name a file of its own for the key in the kubeconfig, or move this one away',
    },
  );
}

// Also of a file that has been cut off.
const keyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
