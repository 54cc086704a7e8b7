import { join } from 'node:path';
import { serviceAccount } from '../catalog/init-order.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import type { CertificateEntry, Inventory } from './inventory.ts';
import { reading } from './reading.ts';
import { readSlot, type Slot } from './request-files.ts';

/** The private keys of a node where they belong, by the name of what each belongs to: a certificate, a CA, `sa`. */
export type PrivateKeys = ReadonlyMap<string, Slot<PrivateKey>>;

/**
 * Opens the keys of the CAs, of the service accounts, and of every certificate that could be read. Never throws for a bad
 * file. A kubeconfig that holds its key is the key's file.
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

// Where etcd is external, no certificate that kubeadm manages has its name.
function etcdClient({ etcdClient: client }: Inventory): readonly CertificateEntry[] {
  return client === undefined ? [] : [client.leaf];
}

/** The keys of certificates in use, as far as they can be read. */
export function readLiveKeys(inventory: Inventory): PrivateKey[] {
  return inventory.certificates.flatMap((entry) => {
    const content = readCertificateKey(inventory, entry)?.content;
    return content?.status === 'present' ? [content.value] : [];
  });
}

/** @returns undefined where there is no certificate that could say where its key is */
function readCertificateKey(
  { layout: { root } }: Inventory,
  entry: CertificateEntry,
): Slot<PrivateKey> | undefined {
  if (entry.state.status !== 'present') return undefined;
  if (entry.kind === 'leaf') return readSlot(root, entry.keyPath, parsePrivateKey);
  const { kubeconfig, keyPath, file } = entry.state.value;
  if (keyPath !== undefined) return readSlot(root, keyPath, parsePrivateKey);
  return embeddedKey(file, kubeconfig.clientKey);
}

function embeddedKey(
  file: FileTarget,
  held: { readonly kind: 'data'; readonly bytes: Buffer } | { readonly kind: 'file' | 'absent' },
): Slot<PrivateKey> {
  return {
    target: file,
    content:
      held.kind === 'data' ? reading(file.path, () => parsePrivateKey(held.bytes)) : { status: 'missing' },
  };
}
