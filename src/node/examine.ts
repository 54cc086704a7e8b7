import { commandLine } from '../errors/command-line.ts';
import type { Typed } from '../flags/table.ts';
import type { Additional } from '../operations/expiration/additional.ts';
import type { Subject } from '../operations/examination/examination.ts';
import { expiration, type ExpirationResult } from '../operations/expiration/expiration.ts';
import type { Node } from './node-options.ts';
import { readManaged } from './snapshot.ts';

/** What a node's files are, and what check-expiration says of them. */
export interface Examined extends ExpirationResult {
  readonly subject: Subject;
  /** Absent: kubeadm's certificates alone were asked for. */
  readonly additional?: readonly Additional[];
  /** Its name, with `additional`, where its files tell it. */
  readonly node?: string | undefined;
}

export interface KeysOption {
  /** Look at no private key. */
  readonly certsOnly?: boolean;
}

/** What is looked at beside kubeadm's certificates, with `all`. */
export type ExamineOptions = KeysOption & Typed<'all' | 'endpoint' | 'kubeconfigFile'>;

/**
 * @param now the moment as of which they are judged
 * @throws KubepkiError where kubeadm manages nothing
 */
export function examine(node: Node, { certsOnly }: KeysOption, now: Date): Examined {
  // Nothing is written, and all of it is read at one moment.
  const layout = { ...node.layout, root: node.layout.root.atOneMoment() };
  const snapshot = readManaged({ ...node, layout });
  const { inventory } = snapshot;
  const keys = certsOnly === true ? undefined : snapshot.keys;
  const subject = { inventory, keys, now, command: commandLine(node.flags) };
  return { ...expiration(subject), subject };
}
