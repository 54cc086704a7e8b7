import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { KubepkiError } from '../errors/error.ts';
import { isMergeKey, type Aliases } from '../yaml/nodes.ts';

/** The value of a key, the pair that holds it, and the map that the pair is written in: another one over a merge key. */
export interface Found {
  readonly value: Node;
  readonly pair: Pair;
  readonly map: YAMLMap;
}

export function badKubeconfig(message: string, hint?: string): KubepkiError {
  return new KubepkiError('bad-kubeconfig', message, { hint });
}

/** Follows an alias to what it stands for. */
function dereference(aliases: Aliases, node: unknown): Node | undefined {
  if (isAlias(node)) return aliases.get(node);
  return isMap(node) || isSeq(node) || isScalar(node) ? node : undefined;
}

/** Finds it as Go's YAML does: of the key and the merge keys (`<<`) that bring it, the last one counts. */
export function find(aliases: Aliases, map: YAMLMap, key: string): Found | undefined {
  for (const pair of [...map.items].reverse()) {
    if (isMergeKey(pair.key)) {
      const merged = findMerged(aliases, pair.value, key);
      if (merged !== undefined) return merged;
    } else if (isScalar(pair.key) && pair.key.value === key) {
      const value = dereference(aliases, pair.value);
      return value === undefined ? undefined : { value, pair, map };
    }
  }
  return undefined;
}

// A merge key has a map or a list of maps, of which the first that has the field counts.
function findMerged(aliases: Aliases, source: unknown, key: string): Found | undefined {
  const node = dereference(aliases, source);
  for (const each of isSeq(node) ? node.items : [node]) {
    const map = dereference(aliases, each);
    const found = isMap(map) ? find(aliases, map, key) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether Go's YAML reads it as null; under the failsafe schema every scalar is a string. */
export function isNull(node: unknown): boolean {
  return isScalar(node) && node.type === 'PLAIN' && /^(?:null|Null|NULL|~|)$/.test(node.source ?? '');
}

/** A scalar's text; undefined when it is absent, null or empty, as Go's decoding makes no difference. */
export function findText(aliases: Aliases, map: YAMLMap, key: string): string | undefined {
  const found = find(aliases, map, key);
  if (found === undefined || isNull(found.value)) return undefined;
  if (!isScalar(found.value) || typeof found.value.value !== 'string') {
    throw badKubeconfig(`${key} is not a string`);
  }
  return found.value.value === '' ? undefined : found.value.value;
}

/** The names of the `contexts`, `clusters` or `users`. */
export function namesIn(aliases: Aliases, root: YAMLMap, list: 'contexts' | 'clusters' | 'users'): string[] {
  const items = find(aliases, root, list)?.value;
  if (!isSeq(items)) return [];
  return items.items.flatMap((item) => {
    const map = dereference(aliases, item);
    return (isMap(map) ? findText(aliases, map, 'name') : undefined) ?? [];
  });
}

/**
 * The `contexts`, `clusters` and `users` are lists of `{ name, context }`: finds the one with a name, or the one without (undefined).
 * @returns the map below `field`; undefined when there is none of that name
 * @throws KubepkiError bad-kubeconfig when two have the name, as client-go refuses to load such a file
 */
export function findNamed(
  aliases: Aliases,
  root: YAMLMap,
  list: 'contexts' | 'clusters' | 'users',
  field: 'context' | 'cluster' | 'user',
  name: string | undefined,
): YAMLMap | undefined {
  const items = find(aliases, root, list)?.value;
  if (items === undefined || isNull(items)) return undefined;
  if (!isSeq(items)) throw badKubeconfig(`${list} is not a list`);
  const matching = items.items.flatMap((item) => {
    const map = dereference(aliases, item);
    if (map === undefined || isNull(map)) return [];
    if (!isMap(map)) throw badKubeconfig(`${list} has an entry that is not a mapping`);
    return findText(aliases, map, 'name') === name ? [map] : [];
  });
  if (matching.length > 1) throw badKubeconfig(`${list} has two entries named ${name ?? '""'}`);
  const [match] = matching;
  if (match === undefined) return undefined;
  const value = find(aliases, match, field)?.value;
  if (!isMap(value)) throw badKubeconfig(`${list} ${name ?? '""'}: ${field} is not a mapping`);
  return value;
}
