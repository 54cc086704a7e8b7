import type { FileChange } from '../../changeset/change-set.ts';
import type { CaName } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readRegularFile } from '../../filesystem/regular-file.ts';
import { readInventory, type Inventory } from '../../inventory/inventory.ts';
import { readSigningKey } from '../../inventory/issuers.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import {
  exportRotation,
  importRotation,
  type AuthorityFile,
  type ReceivingNode,
  type Transfer,
} from '../../operations/rotation/transfer.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { Node } from '../node-options.ts';
import { readKeptKey, readRotation, rotationTarget } from './rotation.ts';

/**
 * What this node has to say of a rotation.
 * @throws KubepkiError for a CA's file that cannot be read, or that is of no stage
 */
export function exportHere(node: Node, rotation: Rotation, sealedKeys?: Buffer): Transfer {
  return exportRotation(rotation, authorityFiles(readInventory(node.layout, node.config?.etcd)), sealedKeys);
}

/**
 * The keys of the new CAs, for {@link keysToSeal}: beside the plan, or in the cert dir once they sign.
 * @throws KubepkiError for one that cannot be read
 */
export function newKeysHere(node: Node, rotation: Rotation): ReadonlyMap<CaName, PrivateKey> {
  const own = keysInCertDir(node, readInventory(node.layout, node.config?.etcd));
  return new Map(
    rotation.authorities.flatMap(({ name, next }) => {
      const { content } = readKeptKey(node, name, 'next');
      if (content.status === 'unreadable') throw content.error;
      if (content.status === 'present') return [[name, content.value] as const];
      const key = own.get(name);
      const signs = key !== undefined && isSameKey(publicKeyOf(key), next.publicKey);
      return signs ? [[name, key] as const] : [];
    }),
  );
}

/**
 * The changes that bring a rotation to this node, a control plane; none where it has it already.
 * @param keys opened by {@link openedKeys}; undefined: none came
 * @throws KubepkiError bad-transfer, conflict; and for files of this node that cannot be read
 */
export function importHere(
  node: Node,
  transfer: Transfer,
  keys?: ReadonlyMap<CaName, PrivateKey>,
): readonly FileChange[] {
  const targets = {
    plan: rotationTarget(node, 'plan.json'),
    of: (name: CaName, part: 'old.crt' | 'next.crt' | 'cross.crt' | 'next.key') =>
      rotationTarget(node, `${name}.${part}`),
  };
  return importRotation(transfer, readReceivingNode(node), targets, keys);
}

/** This node as `requireTrustworthy` judges it, a worker too. @throws KubepkiError for files that cannot be read */
export function readReceivingNode(node: Node): ReceivingNode {
  const inventory = readInventory(node.layout, node.config?.etcd);
  return {
    files: authorityFiles(inventory),
    keys: keysInCertDir(node, inventory),
    rotation: readRotation(node),
  };
}

/** The bytes of a file that another node has made. @throws KubepkiError not-found, not-a-file, too-large, no-permission, io */
export function readGivenFile({ layout: { root } }: Node, given: string): Buffer {
  const path = root.locate(given);
  const file = readRegularFile(root.resolve(path), path);
  if (file === undefined) throw new KubepkiError('not-found', 'no such file', { file: path });
  return file.bytes;
}

function authorityFiles({ authorities }: Inventory): ReadonlyMap<CaName, AuthorityFile> {
  return new Map(
    authorities.flatMap(({ spec: { name }, certificatePath: path, bundle }) => {
      if (bundle.status === 'unreadable') throw bundle.error;
      return bundle.status === 'missing' ? [] : [[name, { path, bundle: bundle.value }] as const];
    }),
  );
}

function keysInCertDir(
  { layout: { root } }: Node,
  { authorities }: Inventory,
): ReadonlyMap<CaName, PrivateKey> {
  return new Map(
    authorities.flatMap(({ spec: { name }, keyPath }) => {
      const { content } = readSigningKey(root, keyPath);
      if (content.status === 'unreadable') throw content.error;
      return content.status === 'missing' ? [] : [[name, content.value] as const];
    }),
  );
}
