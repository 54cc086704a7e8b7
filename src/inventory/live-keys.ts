import { parsePrivateKey, type PrivateKey } from '../pki/private-key.ts';
import type { CertificateEntry, Inventory } from './inventory.ts';
import { reading, type Reading } from './reading.ts';
import { readSlot } from './request-files.ts';

/** The private keys that lie beside certificates in use, as far as they can be read. */
export function readLiveKeys(inventory: Inventory): PrivateKey[] {
  return inventory.certificates.flatMap((entry) => {
    const key = readLiveKey(inventory, entry);
    return key?.status === 'present' ? [key.value] : [];
  });
}

function readLiveKey(
  { layout: { root } }: Inventory,
  entry: CertificateEntry,
): Reading<PrivateKey> | undefined {
  if (entry.state.status !== 'present') return undefined;
  if (entry.kind === 'leaf') return readSlot(root, entry.keyPath, parsePrivateKey).content;
  const { kubeconfig, keyPath, file } = entry.state.value;
  if (keyPath !== undefined) return readSlot(root, keyPath, parsePrivateKey).content;
  const { clientKey } = kubeconfig;
  return clientKey.kind === 'data' ? reading(file.path, () => parsePrivateKey(clientKey.bytes)) : undefined;
}
