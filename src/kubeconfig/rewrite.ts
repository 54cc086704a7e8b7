import { isDeepStrictEqual } from 'node:util';
import { isAlias, isScalar, type Node, type Scalar, type YAMLMap } from 'yaml';
import { KubepkiError } from '../errors/error.ts';
import type { Aliases } from '../yaml/nodes.ts';
import { maxLength } from '../yaml/parse-yaml.ts';
import type { PartialKubeconfig } from './kubeconfig.ts';
import { badKubeconfig, find, isNull, type Found } from './lookup.ts';
import { readNodes, readRoot, type KubeconfigNodes } from './read.ts';

/** New PEM texts; a field that is left out stays. Only fields that the kubeconfig holds as data, or lacks, can be given. */
export interface KubeconfigChanges {
  readonly clientCertificatePem?: string;
  readonly clientKeyPem?: string;
  readonly clusterCaPem?: string;
  /** The file that the user names from now on for both certificate and key, in the place of what it holds or names. */
  readonly credentialsFile?: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One value that changes, or is added. */
interface Asked {
  readonly map: 'user' | 'cluster';
  readonly field: string;
  readonly text: string;
  /** The field in whose place it comes. */
  readonly instead?: string;
}

const spellOut =
  'write the values out instead of sharing them over YAML anchors: kubectl config view --raw --kubeconfig FILE prints them so';

/**
 * The fields that belong together: another user with the same values in all of them has the same credentials, another cluster the
 * same CAs.
 */
const together = {
  user: ['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data'],
  cluster: ['certificate-authority', 'certificate-authority-data'],
} as const;

/**
 * Replaces the bytes of the values in question and no other: comments, order, quoting, other users and unknown fields
 * stay as they are. (kubeadm writes the whole file anew, without its comments.) Over YAML's anchors another user may share
 * the credentials, or another cluster the CAs: it gets the new ones with them.
 * @throws KubepkiError bad-kubeconfig when YAML's anchors or merge keys would make something else change too
 * @throws TypeError when a value is asked for that the kubeconfig keeps in a file
 */
export function rewriteKubeconfig(kubeconfig: PartialKubeconfig, changes: KubeconfigChanges): string {
  const asked = askedOf(kubeconfig, changes);
  if (asked.length === 0) return kubeconfig.text;
  const { nodes, value } = readNodes(kubeconfig.text, kubeconfig.contextName);
  const { aliases } = nodes;
  const edits = asked.flatMap(({ map, field, text, instead }) => {
    const target = nodes[map];
    const found = find(aliases, target, instead ?? field);
    if (found === undefined) return [insertion(kubeconfig.text, aliases, target, field, text)];
    const value = replacement(kubeconfig.text, found, field, text);
    return instead === undefined ? [value] : [renaming(found, field), value];
  });
  const text = apply(kubeconfig.text, edits);
  if (text.length > maxLength) {
    throw badKubeconfig(
      `would be larger than ${String(maxLength / 1024)} KiB`,
      'take out what is not needed',
    );
  }
  if (!isIntended(kubeconfig, value, text, asked)) throw sharedWithOthers(nodes, asked);
  return text;
}

function sharedWithOthers(nodes: KubeconfigNodes, asked: readonly Asked[]): KubepkiError {
  const anchored = new Set([...nodes.aliases.values()]);
  for (const { map, field: next, instead } of asked) {
    const field = instead ?? next;
    const found = find(nodes.aliases, nodes[map], field);
    if (found === undefined) continue;
    if (found.map !== nodes[map]) {
      return badKubeconfig(`${field} comes from a YAML merge key and cannot be replaced`, spellOut);
    }
    if (anchored.has(found.value) && !isAlias(found.pair.value)) {
      return badKubeconfig(`${field} is shared with another field over a YAML anchor`, spellOut);
    }
  }
  return badKubeconfig('cannot be rewritten without changing something else in it', spellOut);
}

function askedOf(kubeconfig: PartialKubeconfig, changes: KubeconfigChanges): Asked[] {
  const { clientCertificate, clientKey, clusterCa } = kubeconfig;
  const { credentialsFile } = changes;
  const named = [
    ['client-certificate', clientCertificate],
    ['client-key', clientKey],
  ] as const;
  const candidates = [
    ['user', 'client-certificate-data', clientCertificate, changes.clientCertificatePem],
    ['user', 'client-key-data', clientKey, changes.clientKeyPem],
    ['cluster', 'certificate-authority-data', clusterCa, changes.clusterCaPem],
  ] as const;
  const data = candidates.flatMap(([map, field, old, pem]): Asked[] => {
    if (pem === undefined) return [];
    if (old.kind === 'file') throw new TypeError(`${field} is in a file of its own`);
    const bytes = Buffer.from(pem);
    return old.kind === 'data' && old.bytes.equals(bytes)
      ? []
      : [{ map, field, text: bytes.toString('base64') }];
  });
  if (credentialsFile === undefined) return data;
  const files = named.flatMap(([field, old]): Asked[] => {
    if (old.kind === 'file' && old.path === credentialsFile) return [];
    const asked = { map: 'user', field, text: credentialsFile } as const;
    return [old.kind === 'data' ? { ...asked, instead: `${field}-data` } : asked];
  });
  return [...data, ...files];
}

/** The key of a pair, by its next name. */
function renaming({ pair: { key } }: Found, name: string): Edit {
  if (!isScalar(key)) throw badKubeconfig(`there is no place for ${name}`, spellOut);
  const [start, end] = rangeOf(key);
  return { start, end, text: quoted(name, key) };
}

function replacement(source: string, { pair, map }: Found, field: string, base64: string): Edit {
  const node = pair.value as Node;
  const [start, end] = rangeOf(node);
  if (isAlias(node)) return { start, end, text: base64 };
  if (!isScalar(node)) throw badKubeconfig(`${field} is not a string`);
  const old = source.slice(start, end);
  if (old === '') return afterColon(source, pair.key as Node, base64);
  if (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') {
    // A block scalar's range has a comment behind its indicator too, and the line ends and blank lines after it.
    const comment = /^[^\r\n]*?([ \t]+#[^\r\n]*)/.exec(old)?.[1] ?? '';
    return { start, end, text: base64 + comment + (/\s*$/.exec(old)?.[0] ?? '') };
  }
  // JSON's null stands without the quotes that its new value needs.
  const like = map.flow === true && isNull(node) && isScalar(pair.key) ? pair.key : node;
  return { start, end, text: quoted(base64, like) };
}

// `client-key-data:  # to come`: the place the library gives to a value that is not there lies behind the comment.
function afterColon(source: string, key: Node, base64: string): Edit {
  const [, keyEnd] = rangeOf(key);
  const start = source.indexOf(':', keyEnd) + 1;
  return { start, end: start, text: ` ${base64}` };
}

// A new field is put before one of these; `kubeadm certs generate-csr` leaves kubeconfigs with a key and a server alone.
const neighbours = [
  'client-certificate-data',
  'client-certificate',
  'client-key-data',
  'client-key',
  'server',
] as const;

function insertion(source: string, aliases: Aliases, map: YAMLMap, field: string, base64: string): Edit {
  const key = neighbours.map((neighbour) => find(aliases, map, neighbour)).find((found) => found?.map === map)
    ?.pair.key;
  if (!isScalar(key)) throw badKubeconfig(`there is no place for ${field}`, spellOut);
  const [start] = rangeOf(key);
  if (map.flow === true) {
    return { start, end: start, text: `${quoted(field, key)}: ${quoted(base64, key)}, ` };
  }
  const column = start - (source.lastIndexOf('\n', start - 1) + 1);
  const lineEnd = source.includes('\r\n') ? '\r\n' : '\n';
  return { start, end: start, text: `${field}: ${base64}${lineEnd}${' '.repeat(column)}` };
}

// kubeadm writes plain scalars; in JSON only double quotes will do.
function quoted(text: string, like: Scalar): string {
  if (like.type === 'QUOTE_DOUBLE') return `"${text}"`;
  return like.type === 'QUOTE_SINGLE' ? `'${text}'` : text;
}

function rangeOf(node: Node): readonly [number, number] {
  if (!node.range) throw new TypeError('a YAML node without a place in the text');
  return [node.range[0], node.range[1]];
}

function apply(source: string, edits: readonly Edit[]): string {
  // From the end to the start, so that earlier offsets stay true.
  return [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce(
      (text, { start, end, text: replaced }) => text.slice(0, start) + replaced + text.slice(end),
      source,
    );
}

/** Whether the new text differs, as values, from the old one just in what was asked for, and in what shares it. */
function isIntended(
  kubeconfig: PartialKubeconfig,
  before: unknown,
  text: string,
  asked: readonly Asked[],
): boolean {
  const after = valueOf(text);
  const changed = (map: Asked['map']): readonly Asked[] => asked.filter((one) => one.map === map);
  const users = withChanged({ before, after }, 'users', 'user', kubeconfig.userName, changed('user'));
  const expected = withChanged(
    { before: users, after },
    'clusters',
    'cluster',
    kubeconfig.clusterName,
    changed('cluster'),
  );
  return isDeepStrictEqual(after, expected);
}

function valueOf(text: string): unknown {
  try {
    return readRoot(text).value;
  } catch (cause) {
    // The error is about our text, not the file's: its message would name a place in a text that the operator
    // does not have.
    if (cause instanceof KubepkiError) return undefined;
    throw cause;
  }
}

/** A copy along the path alone: over anchors, a value may be in several places. */
function withChanged(
  { before, after }: { readonly before: unknown; readonly after: unknown },
  list: 'users' | 'clusters',
  inner: 'user' | 'cluster',
  name: string,
  asked: readonly Asked[],
): unknown {
  const old = listIn(before, list);
  const entries = old.filter(isRecord);
  const meant = entries.find((entry) => entry['name'] === name)?.[inner];
  if (!isRecord(before) || !isRecord(meant)) return before;
  const shares = (other: Record<string, unknown>): boolean =>
    together[inner].every((field) => isDeepStrictEqual(other[field], meant[field]));
  return {
    ...before,
    [list]: old.map((entry, index) => {
      const value = isRecord(entry) ? entry[inner] : undefined;
      if (!isRecord(entry) || !isRecord(value)) return entry;
      const next = withAsked(value, asked);
      if (entry['name'] === name) return { ...entry, [inner]: next };
      const found = listIn(after, list)[index];
      const isNext = isRecord(found) && isDeepStrictEqual(found[inner], next);
      return shares(value) && isNext ? { ...entry, [inner]: next } : entry;
    }),
  };
}

function withAsked(
  fields: Readonly<Record<string, unknown>>,
  asked: readonly Asked[],
): Record<string, unknown> {
  const gone = new Set(asked.map(({ instead }) => instead));
  return Object.fromEntries([
    ...Object.entries(fields).filter(([field]) => !gone.has(field)),
    ...asked.map(({ field, text }) => [field, text] as const),
  ]);
}

function listIn(root: unknown, list: string): readonly unknown[] {
  const found = isRecord(root) ? root[list] : undefined;
  return Array.isArray(found) ? found : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
