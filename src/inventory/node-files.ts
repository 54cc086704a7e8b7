import { parseCertificates, type Chain } from '../pki/certificate/certificate.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { parsePublicKeys, type PublicKey } from '../pki/key/public-key.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { serviceAccount } from '../catalog/init-order.ts';
import type { Inventory } from './inventory.ts';
import type { PrivateKeys } from './private-keys.ts';
import { reading, readSlot, type Reading, type Slot } from './reading.ts';

/** Certificates and keys by the path of their file: what many flags and kubeconfigs name is read and parsed once. */
export class NodeFiles {
  readonly root: FileSystemRoot;
  readonly #certificates: Map<string, Slot<Chain>>;
  readonly #keys: Map<string, Slot<PrivateKey>>;
  readonly #embedded = new Map<string, Chain>();
  readonly #publicKeys = new Map<string, Slot<readonly PublicKey[]>>();

  /**
   * @param inventory what it has is not read again
   * @param keys undefined: none was looked at
   */
  constructor(root: FileSystemRoot, inventory: Inventory, keys: PrivateKeys | undefined) {
    const { authorities, certificates, etcdClient } = inventory;
    const leaves = [...certificates, ...(etcdClient === undefined ? [] : [etcdClient.leaf])].filter(
      ({ kind }) => kind === 'leaf',
    );
    this.root = root;
    this.#certificates = new Map([
      ...authorities.flatMap(({ file, bundle }): [string, Slot<Chain>][] =>
        file === undefined ? [] : [[file.path, { target: file, content: bundle }]],
      ),
      ...leaves.flatMap(({ state }): [string, Slot<Chain>][] => {
        if (state.status !== 'present') return [];
        const { file, chain } = state.value;
        return [[file.path, { target: file, content: { status: 'present', value: chain } }]];
      }),
    ]);
    // A kubeconfig's key may be in the kubeconfig, which as a file is none.
    const names = [serviceAccount.name, ...[...authorities, ...leaves].map(({ spec: { name } }) => name)];
    this.#keys = new Map(
      names.flatMap((name) => {
        const key = keys?.get(name);
        return key === undefined ? [] : [[key.target.path, key] as const];
      }),
    );
  }

  /** @param path host path */
  certificates(path: string): Slot<Chain> {
    return once(this.#certificates, path, () => readSlot(this.root, path, parseCertificates));
  }

  /** What a kubeconfig holds: the CAs of most are the same bytes. */
  embedded(path: string, bytes: Buffer): Reading<Chain> {
    return reading(path, () =>
      once(this.#embedded, bytes.toString('latin1'), () => parseCertificates(bytes)),
    );
  }

  key(path: string): Slot<PrivateKey> {
    return once(this.#keys, path, () => readSlot(this.root, path, parsePrivateKey));
  }

  publicKeys(path: string): Slot<readonly PublicKey[]> {
    return once(this.#publicKeys, path, () => readSlot(this.root, path, parsePublicKeys));
  }
}

function once<T>(known: Map<string, T>, path: string, read: () => T): T {
  const before = known.get(path);
  if (before !== undefined) return before;
  const value = read();
  known.set(path, value);
  return value;
}
