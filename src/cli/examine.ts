import { commandLine } from '../errors/command-line.ts';
import { readInventory } from '../inventory/inventory.ts';
import { readPrivateKeys } from '../inventory/private-keys.ts';
import type { Subject } from '../operations/examination/examination.ts';
import { expiration, type ExpirationResult } from '../operations/expiration.ts';
import type { Node } from './node-options.ts';

/** What a node's files are, and what check-expiration says of them. */
export interface Examined extends ExpirationResult {
  readonly subject: Subject;
}

export interface KeysOption {
  /** Look at no private key. */
  readonly certsOnly?: boolean;
}

/** @param now the moment as of which they are judged */
export function examine({ layout, config, flags }: Node, { certsOnly }: KeysOption, now: Date): Examined {
  const inventory = readInventory(layout, config?.etcd ?? { kind: 'stacked' });
  const keys = certsOnly === true ? undefined : readPrivateKeys(inventory);
  const subject = { inventory, keys, now, command: commandLine(flags) };
  return { ...expiration(subject), subject };
}
