import { KubepkiError, naming } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { parseNodeStatus } from '../documents/node-status.ts';
import type { Node } from './node-options.ts';
import type { NodeStatus } from '../operations/rotation/status.ts';

/**
 * What the other nodes have printed.
 * @throws KubepkiError naming the file
 */
export function readStatuses({ layout: { root } }: Node, files: readonly string[]): readonly NodeStatus[] {
  return files.map((given) => {
    const path = root.locate(given);
    const file = readRegularFile(root.resolve(path), path);
    if (file === undefined) throw new KubepkiError('not-found', 'no such file', { file: path });
    return naming(path, () => parseNodeStatus(file.bytes));
  });
}
