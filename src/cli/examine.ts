import { commandLine } from '../errors/command-line.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { expiration, type ExpirationResult } from '../operations/expiration.ts';
import { requireManaged } from './managed.ts';
import type { Node } from './node-options.ts';

/** What a node's files are, and what check-expiration says of them. */
export interface Examined extends ExpirationResult {
  readonly inventory: Inventory;
}

/**
 * @param now the moment as of which they are judged
 * @throws KubepkiError where kubeadm manages nothing
 */
export function examine(node: Node, now: Date): Examined {
  const inventory = requireManaged(node);
  return { ...expiration(inventory, now, commandLine(node.flags)), inventory };
}
