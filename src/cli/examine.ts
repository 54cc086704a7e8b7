import { commandLine } from '../errors/command-line.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { expiration, type ExpirationResult } from '../operations/expiration.ts';
import type { Node } from './node-options.ts';

/** What a node's files are, and what check-expiration says of them. */
export interface Examined extends ExpirationResult {
  readonly inventory: Inventory;
}

/** @param now the moment as of which they are judged */
export function examine({ layout, config, flags }: Node, now: Date): Examined {
  const inventory = readInventory(layout, config?.etcd.kind ?? 'stacked');
  return { ...expiration(inventory, now, commandLine(flags)), inventory };
}
