import { join } from 'node:path';
import { serviceAccount } from '../catalog/init-order.ts';
import type { FileTarget, Naming } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import type { CertificateEntry, Inventory } from './inventory.ts';
import { readHeld } from './kubeconfig-files.ts';
import { named, namingOf, readFile, reading, readSlot, type Reading, type Slot } from './reading.ts';

/** The private keys of a node where they belong, by the name of what each belongs to: a certificate, a CA, `sa`. */
export type PrivateKeys = ReadonlyMap<string, CertificateKey>;

interface CertificateKey extends Slot<PrivateKey> {
  /** The key's own file, there or not, where another key may take its place. */
  readonly replaceable?: Reading<FileTarget>;
}

/**
 * Opens the keys of the CAs, of the service accounts, and of every certificate that could be read. A kubeconfig that holds its key
 * is the key's file. Never throws for a bad file.
 */
export function readPrivateKeys(inventory: Inventory): PrivateKeys {
  const { root, certDir } = inventory.layout;
  return new Map([
    ...inventory.authorities.map(
      ({ spec, keyPath }) => [spec.name, readSlot(root, keyPath, parsePrivateKey)] as const,
    ),
    [serviceAccount.name, readSlot(root, join(certDir, 'sa.key'), parsePrivateKey)] as const,
    ...[...inventory.certificates, ...etcdClient(inventory)].flatMap((entry) => {
      const key = readCertificateKey(inventory, entry);
      return key === undefined ? [] : [[entry.spec.name, key] as const];
    }),
  ]);
}

// No certificate that kubeadm manages has its name where etcd is external.
function etcdClient({ etcdClient: client }: Inventory): readonly CertificateEntry[] {
  return client === undefined ? [] : [client.leaf];
}

/** @returns undefined where there is no certificate that could say where its key is */
function readCertificateKey(
  { layout: { root } }: Inventory,
  entry: CertificateEntry,
): CertificateKey | undefined {
  if (entry.state.status !== 'present') return undefined;
  if (entry.kind === 'leaf') return readKeyFile(root, entry.keyPath, undefined);
  const { kubeconfig, keyPath, file, rotated } = entry.state.value;
  if (rotated !== undefined) {
    const stored = readKeyFile(root, rotated.target.path, rotated.target.namedBy);
    const isEmpty = stored.content.status === 'missing' && kubeconfig.clientKey.kind === 'data';
    // As the kubelet does whose store is empty still.
    return isEmpty
      ? { ...stored, content: readHeld(root, file, kubeconfig.clientKey, parsePrivateKey).content }
      : stored;
  }
  return keyPath === undefined
    ? readHeld(root, file, kubeconfig.clientKey, parsePrivateKey)
    : readKeyFile(root, keyPath, namingOf(file));
}

function readKeyFile(root: FileSystemRoot, path: string, namedBy: Naming | undefined): CertificateKey {
  const { target, content: file } = readSlot(root, path, (bytes) => bytes);
  if (file.status === 'unreadable') return { target, content: file, replaceable: file };
  const bytes = file.status === 'present' ? file.value : undefined;
  return {
    target,
    content: reading(path, () => bytes && parsePrivateKey(bytes)),
    replaceable: reading(path, () => keyTarget(target, bytes, namedBy)),
  };
}

/** @throws KubepkiError as {@link keyTarget}, and for what cannot be read */
export function readKeyTarget(root: FileSystemRoot, path: string, namedBy: Naming | undefined): FileTarget {
  const { target, bytes } = readFile(root, path);
  return keyTarget(target, bytes, namedBy);
}

/**
 * The place of a key where another key may go. No key need be there, as kubeadm renews without the old one. In a place of its own
 * kubeadm replaces anything, and so do we. A kubeconfig may lead to any file, and there only a key makes room for a key, or a file
 * that is empty or nothing but zeros, as a power cut may leave one.
 * @param namedBy undefined: kubeadm's own place for it
 * @throws KubepkiError conflict
 */
function keyTarget(target: FileTarget, bytes: Buffer | undefined, namedBy: Naming | undefined): FileTarget {
  if (bytes === undefined || target.before === undefined) return named(target, namedBy);
  if (keyBlock.test(bytes.toString('latin1'))) return named(target, namedBy);
  // A file that was no key may be readable by all: a certificate, say, that another user has moved there.
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

// The beginning alone counts, so that a file that has been cut off is a key as well.
const keyBlock = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
