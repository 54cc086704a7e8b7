import { commandLine } from '../errors/command-line.ts';
import { readPrivateKeys } from '../inventory/private-keys.ts';
import type { Subject } from '../operations/examination/examination.ts';
import { expiration, type ExpirationResult } from '../operations/expiration/expiration.ts';
import { requireManaged } from './managed.ts';
import type { Node } from './node-options.ts';

/** What a node's files are, and what check-expiration says of them. */
export interface Examined extends ExpirationResult {
  readonly subject: Subject;
}

export interface KeysOption {
  /** Look at no private key. */
  readonly certsOnly?: boolean;
}

/**
 * @param now the moment as of which they are judged
 * @throws KubepkiError where kubeadm manages nothing
 */
export function examine(node: Node, { certsOnly }: KeysOption, now: Date): Examined {
  // Nothing is written, and all of it is read at one moment.
  const layout = { ...node.layout, root: node.layout.root.atOneMoment() };
  const inventory = requireManaged({ ...node, layout });
  const keys = certsOnly === true ? undefined : readPrivateKeys(inventory);
  const subject = { inventory, keys, now, command: commandLine(node.flags) };
  return { ...expiration(subject), subject };
}
