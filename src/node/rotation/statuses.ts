import { parseNodeStatus, mostStatusBytes } from '../../documents/node-status.ts';
import { KubepkiError, naming } from '../../errors/error.ts';
import { readRegularFile } from '../../filesystem/regular-file.ts';
import type { NodeStatus } from '../../operations/rotation/status.ts';
import { filesAt } from '../given-files.ts';
import type { Node } from '../node-options.ts';
import { nodeName, readRotatedFiles } from './rotated-files.ts';

/**
 * What the other nodes have printed. What this node has printed may be among it, and is passed over: a node measures itself.
 * @param given files, and directories in which every `.json` is such a file
 * @throws KubepkiError naming the file
 */
export function readStatuses(node: Node, given: readonly string[]): readonly NodeStatus[] {
  if (given.length === 0) return [];
  const own = nodeName(readRotatedFiles(node));
  return given
    .flatMap((one) => filesAt(node.layout.root, one))
    .map((path) => readStatus(node, path))
    .filter((status) => status.node !== own);
}

function readStatus({ layout: { root } }: Node, path: string): NodeStatus {
  const file = readRegularFile(root.resolve(path), path, mostStatusBytes);
  if (file === undefined) throw new KubepkiError('not-found', 'no such file', { file: path });
  return naming(path, () => parseNodeStatus(file.bytes));
}
