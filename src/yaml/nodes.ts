import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  visit,
  type Alias,
  type Document,
  type Node,
  type YAMLMap,
} from 'yaml';
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

// The longest text that is read has half as many nodes; more can only come from an alias bomb ("billion laughs").
const maxNodes = 200_000;

interface Plain {
  readonly value: unknown;
  /** How many nodes it is with its aliases written out. */
  readonly size: number;
}

/** `<<`, whose value's pairs belong to the map it is in. Quoted, it is a key like any other. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === 'PLAIN' && key.source === '<<';
}

/**
 * Turns a node into plain values, in a time that does not grow with what its aliases expand to: a value that is shared stays one
 * object. As in Go's YAML (kubectl, kubeadm), of a key and a merge key with the same field the later one wins.
 * @throws KubepkiError with the given code, for an alias bomb
 */
export function plainValue(root: unknown, aliases: Aliases, code: ErrorCode): unknown {
  const known = new Map<object, Plain>();

  function convert(given: unknown): Plain {
    const node = isAlias(given) ? aliases.get(given) : given;
    if (isScalar(node)) return { value: node.toJSON() as unknown, size: 1 };
    if (!isMap(node) && !isSeq(node)) return { value: null, size: 1 };
    const before = known.get(node);
    if (before !== undefined) return before;
    const plain = isMap(node) ? convertMap(node) : convertItems(node.items);
    known.set(node, plain);
    return plain;
  }

  function convertItems(items: readonly unknown[]): { value: unknown[]; size: number } {
    let size = 1;
    const value = items.map((item) => {
      const plain = convert(item);
      size = bounded(size + plain.size);
      return plain.value;
    });
    return { value, size };
  }

  function convertMap(map: YAMLMap): Plain {
    let size = 1;
    const value = {};
    for (const pair of map.items) {
      const plain = convert(pair.value);
      // Before the copying that a merge is.
      size = bounded(size + plain.size);
      if (isMergeKey(pair.key)) merge(value, plain.value);
      else if (isScalar(pair.key)) define(value, String(pair.key.value), plain.value);
    }
    return { value, size };
  }

  function merge(into: object, source: unknown): void {
    // The first map of a list wins.
    const maps: unknown[] = Array.isArray(source) ? [...(source as unknown[])].reverse() : [source];
    for (const map of maps) {
      if (typeof map !== 'object' || map === null || Array.isArray(map)) {
        throw new KubepkiError(code, 'is not usable YAML: a merge key without a mapping');
      }
      for (const [key, value] of Object.entries(map)) define(into, key, value);
    }
  }

  function bounded(size: number): number {
    if (size <= maxNodes) return size;
    throw new KubepkiError(code, 'is not usable YAML: it expands its aliases too often');
  }

  return convert(root).value;
}

// An assignment to `__proto__` would be lost.
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
