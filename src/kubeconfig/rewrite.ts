import { isDeepStrictEqual } from 'node:util';
import { isAlias, isScalar, visit, type Document, type Node, type Scalar, type YAMLMap } from 'yaml';
import type { Kubeconfig } from './kubeconfig.ts';
import { badKubeconfig, find } from './lookup.ts';
import { readNodes } from './read.ts';

/** New PEM texts; what is left out stays. Only what the kubeconfig holds as data can be given (or a key it lacks). */
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

const spellOut = 'write the values out instead of sharing them over YAML anchors';

/**
 * Replaces the bytes of the values in question and no other: comments, order, quoting, other users and unknown fields
 * stay as they are. (kubeadm writes the whole file anew, without its comments.)
 * @throws KubepkiError bad-kubeconfig when YAML's anchors or merge keys would make something else change too
 */
export function rewriteKubeconfig(kubeconfig: Kubeconfig, changes: KubeconfigChanges): string {
  const { nodes } = readNodes(kubeconfig.text);
  const { user, cluster } = nodes;
  const wanted = [
    {
      map: user,
      field: 'client-certificate-data',
      old: kubeconfig.clientCertificate,
      pem: changes.clientCertificatePem,
    },
    { map: user, field: 'client-key-data', old: kubeconfig.clientKey, pem: changes.clientKeyPem },
    {
      map: cluster,
      field: 'certificate-authority-data',
      old: kubeconfig.clusterCa,
      pem: changes.clusterCaPem,
    },
  ] as const;
  const edits: Edit[] = [];
  for (const { map, field, old, pem } of wanted) {
    if (pem === undefined) continue;
    if (old.kind === 'file') throw new TypeError(`${field} is in a file of its own`);
    if (old.kind === 'data' && old.bytes.equals(Buffer.from(pem))) continue;
    const base64 = Buffer.from(pem).toString('base64');
    edits.push(
      old.kind === 'data'
        ? replacement(kubeconfig.text, nodes.document, map, field, base64)
        : insertion(kubeconfig.text, nodes.document, map, field, base64),
    );
  }
  const text = apply(kubeconfig.text, edits);
  requireIntended(kubeconfig, text, changes);
  return text;
}

function replacement(source: string, document: Document, map: YAMLMap, field: string, base64: string): Edit {
  const pair = find(document, map, field)?.pair;
  if (pair === undefined)
    throw badKubeconfig(`${field} comes from a YAML merge key and cannot be replaced`, spellOut);
  const node = pair.value as Node;
  const [start, end] = rangeOf(node);
  if (isAlias(node)) return { start, end, text: base64 };
  if (!isScalar(node)) throw badKubeconfig(`${field} is not a string`);
  if (isShared(document, node))
    throw badKubeconfig(`${field} is shared with another field over a YAML anchor`, spellOut);
  // A block scalar's range includes its line end.
  const lineEnd = /\r?\n$/.exec(source.slice(start, end))?.[0] ?? '';
  return { start, end, text: quoted(base64, node) + lineEnd };
}

/** A user without a key: `kubeadm certs generate-csr` leaves such files. The new field goes before the certificate. */
function insertion(source: string, document: Document, map: YAMLMap, field: string, base64: string): Edit {
  const beside = find(document, map, 'client-certificate-data') ?? find(document, map, 'client-certificate');
  const key = beside?.pair?.key;
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

function isShared(document: Document, node: Scalar): boolean {
  if (node.anchor === undefined) return false;
  let shared = false;
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === node) shared = true;
    },
  });
  return shared;
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

/** Reads both texts again as values: exactly the intended fields differ, and they hold what was asked. */
function requireIntended(kubeconfig: Kubeconfig, text: string, changes: KubeconfigChanges): void {
  const before = readNodes(kubeconfig.text);
  const after = readNodes(text);
  const holds = (embedded: { kind: string; bytes?: Buffer }, pem: string | undefined): boolean =>
    pem === undefined || (embedded.bytes?.equals(Buffer.from(pem)) ?? false);
  const asked =
    holds(after.kubeconfig.clientCertificate, changes.clientCertificatePem) &&
    holds(after.kubeconfig.clientKey, changes.clientKeyPem) &&
    holds(after.kubeconfig.clusterCa, changes.clusterCaPem);
  const { userName, clusterName } = kubeconfig;
  const untouched = isDeepStrictEqual(
    masked(before.value, userName, clusterName),
    masked(after.value, userName, clusterName),
  );
  if (!asked || !untouched) {
    throw badKubeconfig('cannot be rewritten without changing something else in it', spellOut);
  }
}

/** The document without the three fields that may change, and without the identity of values shared over anchors. */
function masked(value: unknown, userName: string, clusterName: string): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(value));
  for (const user of entries(copy, 'users', userName)) {
    remove(user, 'user', ['client-certificate-data', 'client-key-data']);
  }
  for (const cluster of entries(copy, 'clusters', clusterName)) {
    remove(cluster, 'cluster', ['certificate-authority-data']);
  }
  return copy;
}

function entries(root: unknown, list: string, name: string): Record<string, unknown>[] {
  const items = isRecord(root) ? root[list] : undefined;
  return Array.isArray(items) ? items.filter(isRecord).filter((item) => item['name'] === name) : [];
}

function remove(entry: Record<string, unknown>, field: string, keys: readonly string[]): void {
  const map = entry[field];
  if (!isRecord(map)) return;
  entry[field] = Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
