import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Pair, type YAMLMap } from 'yaml';
import { KubepkiError } from '../errors/error.ts';

/** The value of a key, and the pair that holds it, unless the pair comes from elsewhere over a merge key. */
export interface Found {
  readonly value: Node;
  readonly pair: Pair | undefined;
}

export function badKubeconfig(message: string, hint?: string): KubepkiError {
  return new KubepkiError('bad-kubeconfig', message, { hint });
}

/** Follows an alias to what it stands for. */
export function dereference(document: Document, node: unknown): Node | undefined {
  if (isAlias(node)) return node.resolve(document);
  return isMap(node) || isSeq(node) || isScalar(node) ? node : undefined;
}

export function find(document: Document, map: YAMLMap, key: string): Found | undefined {
  const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
  if (pair !== undefined) {
    const value = dereference(document, pair.value);
    return value === undefined ? undefined : { value, pair };
  }
  const merge = map.items.find((item) => isScalar(item.key) && item.key.source === '<<');
  const source = dereference(document, merge?.value);
  const merged = isMap(source) ? find(document, source, key) : undefined;
  return merged && { value: merged.value, pair: undefined };
}

/** A scalar's text; undefined when it is absent or empty, as Go's decoding makes no difference. */
export function findText(document: Document, map: YAMLMap, key: string): string | undefined {
  const found = find(document, map, key);
  if (found === undefined) return undefined;
  if (!isScalar(found.value)) throw badKubeconfig(`${key} is not a string`);
  const { value: text, type } = found.value;
  // Every scalar is a string under the failsafe schema; an empty one, null and ~ are no value.
  if (typeof text !== 'string' || text === '') return undefined;
  return type === 'PLAIN' && (text === 'null' || text === '~') ? undefined : text;
}

/**
 * The `contexts`, `clusters` and `users` are lists of `{ name, context }`: finds the one with a name.
 * @returns the map below `field`; undefined when there is none of that name
 * @throws KubepkiError bad-kubeconfig when two have the name, as client-go refuses to load such a file
 */
export function findNamed(
  document: Document,
  root: YAMLMap,
  list: 'contexts' | 'clusters' | 'users',
  field: 'context' | 'cluster' | 'user',
  name: string,
): YAMLMap | undefined {
  const items = find(document, root, list)?.value;
  if (items === undefined) return undefined;
  if (!isSeq(items)) throw badKubeconfig(`${list} is not a list`);
  const matching = items.items.flatMap((item) => {
    const map = dereference(document, item);
    return isMap(map) && findText(document, map, 'name') === name ? [map] : [];
  });
  if (matching.length > 1) throw badKubeconfig(`${list} has two entries named ${name}`);
  const [match] = matching;
  if (match === undefined) return undefined;
  const value = find(document, match, field)?.value;
  if (!isMap(value)) throw badKubeconfig(`${list} ${name}: ${field} is not a mapping`);
  return value;
}
