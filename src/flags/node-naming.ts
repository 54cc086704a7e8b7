import type { NodeNaming } from '../config/node-naming.ts';
import { naming } from '../errors/error.ts';
import { readConfigFile, type Node, type NodeOptions } from '../node/node-options.ts';

/** What `--config` says of names and addresses; without it nothing. @throws KubepkiError bad-config */
export async function readNodeNaming(
  { layout: { root } }: Node,
  { config }: NodeOptions,
): Promise<NodeNaming> {
  // Loaded only here: most runs start without the schema library.
  const { noNaming, parseNodeNaming } = await import('../config/node-naming.ts');
  if (config === undefined) return noNaming;
  const { path, text } = readConfigFile(root, config);
  return naming(path, () => parseNodeNaming(text));
}
