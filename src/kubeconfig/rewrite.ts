import { isDeepStrictEqual } from 'node:util';
import { isAlias, isScalar, type Node, type Scalar, type YAMLMap } from 'yaml';
import { KubepkiError } from '../errors/error.ts';
import type { Aliases } from '../yaml/aliases.ts';
import type { PartialKubeconfig } from './kubeconfig.ts';
import { badKubeconfig, find, isNull } from './lookup.ts';
import { readNodes } from './read.ts';

/** New PEM texts; what is left out stays. Only what the kubeconfig holds as data, or lacks, can be given. */
export interface KubeconfigChanges {
  readonly clientCertificatePem?: string;
  readonly clientKeyPem?: string;
  readonly clusterCaPem?: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** One value that changes, or is added. */
interface Asked {
  readonly map: 'user' | 'cluster';
  readonly field: 'client-certificate-data' | 'client-key-data' | 'certificate-authority-data';
  readonly base64: string;
}

const spellOut = 'write the values out instead of sharing them over YAML anchors';

/**
 * Replaces the bytes of the values in question and no other: comments, order, quoting, other users and unknown fields
 * stay as they are. (kubeadm writes the whole file anew, without its comments.)
 * @throws KubepkiError bad-kubeconfig when YAML's anchors or merge keys would make something else change too
 * @throws TypeError when a value is asked for that the kubeconfig keeps in a file
 */
export function rewriteKubeconfig(kubeconfig: PartialKubeconfig, changes: KubeconfigChanges): string {
  const asked = askedOf(kubeconfig, changes);
  const { nodes, value } = readNodes(kubeconfig.text);
  const { aliases } = nodes;
  const edits = asked.map(({ map, field, base64 }) => {
    const target = nodes[map];
    return find(aliases, target, field) === undefined
      ? insertion(kubeconfig.text, aliases, target, field, base64)
      : replacement(kubeconfig.text, aliases, target, field, base64);
  });
  const text = apply(kubeconfig.text, edits);
  requireIntended(kubeconfig, value, text, asked);
  return text;
}

function askedOf(kubeconfig: PartialKubeconfig, changes: KubeconfigChanges): Asked[] {
  const { clientCertificate, clientKey, clusterCa } = kubeconfig;
  const candidates = [
    ['user', 'client-certificate-data', clientCertificate, changes.clientCertificatePem],
    ['user', 'client-key-data', clientKey, changes.clientKeyPem],
    ['cluster', 'certificate-authority-data', clusterCa, changes.clusterCaPem],
  ] as const;
  return candidates.flatMap(([map, field, old, pem]) => {
    if (pem === undefined) return [];
    if (old.kind === 'file') throw new TypeError(`${field} is in a file of its own`);
    const bytes = Buffer.from(pem);
    return old.kind === 'data' && old.bytes.equals(bytes)
      ? []
      : [{ map, field, base64: bytes.toString('base64') }];
  });
}

function replacement(source: string, aliases: Aliases, map: YAMLMap, field: string, base64: string): Edit {
  const pair = find(aliases, map, field)?.pair;
  if (pair === undefined)
    throw badKubeconfig(`${field} comes from a YAML merge key and cannot be replaced`, spellOut);
  const node = pair.value as Node;
  const [start, end] = rangeOf(node);
  if (isAlias(node)) return { start, end, text: base64 };
  if (!isScalar(node)) throw badKubeconfig(`${field} is not a string`);
  if ([...aliases.values()].includes(node))
    throw badKubeconfig(`${field} is shared with another field over a YAML anchor`, spellOut);
  const old = source.slice(start, end);
  if (old === '') return afterColon(source, pair.key as Node, base64);
  if (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED') {
    // What else is in a block scalar's range: a comment behind its indicator, and the line ends and blank lines after it.
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

// What a new field is put before; `kubeadm certs generate-csr` leaves kubeconfigs with a key and a server alone.
const neighbours = [
  'client-certificate-data',
  'client-certificate',
  'client-key-data',
  'client-key',
  'server',
] as const;

function insertion(source: string, aliases: Aliases, map: YAMLMap, field: string, base64: string): Edit {
  const key = neighbours
    .map((neighbour) => find(aliases, map, neighbour)?.pair?.key)
    .find((candidate) => candidate !== undefined);
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

/** Reads the new text as values: exactly what was asked for differs from the old ones. */
function requireIntended(
  kubeconfig: PartialKubeconfig,
  before: unknown,
  text: string,
  asked: readonly Asked[],
): void {
  const expected = asked.reduce(
    (value, { map, field, base64 }) =>
      map === 'user'
        ? withField(value, 'users', kubeconfig.userName, map, field, base64)
        : withField(value, 'clusters', kubeconfig.clusterName, map, field, base64),
    before,
  );
  if (!isDeepStrictEqual(valueOf(text), expected)) {
    throw badKubeconfig('cannot be rewritten without changing something else in it', spellOut);
  }
}

function valueOf(text: string): unknown {
  try {
    return readNodes(text).value;
  } catch (cause) {
    // Ours, not the file's: its message would name a place in a text that nobody has.
    if (cause instanceof KubepkiError) return undefined;
    throw cause;
  }
}

/** A copy along the path alone: over anchors, a value may be in several places, and it is to change in one. */
function withField(
  root: unknown,
  list: string,
  name: string,
  inner: string,
  field: string,
  text: string,
): unknown {
  if (!isRecord(root) || !Array.isArray(root[list])) return root;
  const entries = root[list].map((entry: unknown) =>
    isRecord(entry) && entry['name'] === name && isRecord(entry[inner])
      ? { ...entry, [inner]: { ...entry[inner], [field]: text } }
      : entry,
  );
  return { ...root, [list]: entries };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
