import { isAlias, isNode, visit, type Alias, type Document, type Node } from 'yaml';
import { KubepkiError, type ErrorCode } from '../errors/error.ts';

/** What every alias of a document stands for; never another alias. */
export type Aliases = ReadonlyMap<Alias, Node>;

/**
 * Resolves all aliases in one walk. (The library's `alias.resolve` walks the whole document for each one: 7000 aliases
 * take half a minute.)
 * @throws KubepkiError with the given code, when an alias stands for nothing or for something that contains it
 */
export function resolveAliases(document: Document.Parsed, code: ErrorCode): Aliases {
  const anchored = new Map<string, Node>();
  const aliases = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node, path) => {
      if (!isAlias(node)) {
        // An anchor's name may be given again; an alias means the last one before it.
        if (isNode(node) && node.anchor !== undefined) anchored.set(node.anchor, node);
        return;
      }
      const target = anchored.get(node.source);
      if (target === undefined) throw new KubepkiError(code, 'is not usable YAML: an alias has no anchor');
      if (path.includes(target)) {
        throw new KubepkiError(code, 'is not usable YAML: an anchor contains itself');
      }
      aliases.set(node, target);
    },
  });
  return aliases;
}
