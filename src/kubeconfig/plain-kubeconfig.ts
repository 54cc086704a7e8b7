import { maxLength } from '../yaml/parse-yaml.ts';
import type { Embedded, Kubeconfig } from './kubeconfig.ts';

type Field = 'ca' | 'server' | 'cluster' | 'user' | 'context' | 'certificate' | 'key';

// In client-go's order, which is that of the alphabet, and Go's YAML, which does not indent lists.
const layout: readonly (readonly [start: string, field?: Field])[] = [
  ['apiVersion: v1'],
  ['clusters:'],
  ['- cluster:'],
  ['    certificate-authority-data: ', 'ca'],
  ['    server: ', 'server'],
  ['  name: ', 'cluster'],
  ['contexts:'],
  ['- context:'],
  ['    cluster: ', 'cluster'],
  ['    user: ', 'user'],
  ['  name: ', 'context'],
  ['current-context: ', 'context'],
  ['kind: Config'],
  ['preferences: {}'],
  ['users:'],
  ['- name: ', 'user'],
  ['  user:'],
  ['    client-certificate-data: ', 'certificate'],
  ['    client-key-data: ', 'key'],
  [''],
];
const withoutPreferences = layout.filter(([start]) => start !== 'preferences: {}');

const base64 = /^[A-Za-z0-9+/]{100,}={0,2}$/;
// No space, no quote, and no colon at the end: to YAML it is text, up to the end of the line.
const word = /^[A-Za-z](?:[\w.@:/-]|\[[0-9a-f:]+\])*\w$/;
const isNull = /^null$/i;

/**
 * A kubeconfig that is, line by line, what kubeadm writes: one cluster, one context, one user, the certificates in it. Any
 * reader of YAML reads it alike. Most kubeconfigs of most nodes are such, and a YAML parser goes over their base64
 * character by character, which takes longer than all the rest of a node's files.
 * @returns undefined for any other text, right or wrong
 */
export function readPlainKubeconfig(text: string): Kubeconfig | undefined {
  // The parser would refuse a longer text, which so could be read and not be rewritten.
  if (text.length > maxLength) return undefined;
  const lines = text.split('\n');
  const expected = lines.length === layout.length ? layout : withoutPreferences;
  if (lines.length !== expected.length) return undefined;
  const found = new Map<Field, string>();
  for (const [index, [start, field]] of expected.entries()) {
    const line = lines[index] ?? '';
    if (field === undefined ? line !== start : !line.startsWith(start)) return undefined;
    if (field === undefined) continue;
    const value = line.slice(start.length);
    // A name that stands in two places must be the same in both: the other reader tells of a context that leads nowhere.
    if (found.has(field) && found.get(field) !== value) return undefined;
    found.set(field, value);
  }
  const of = (field: Field): string => found.get(field) ?? '';
  const texts = [of('server'), of('cluster'), of('user'), of('context')];
  const data = [of('ca'), of('certificate'), of('key')];
  const arePlain =
    texts.every((value) => word.test(value) && !isNull.test(value)) &&
    data.every((value) => value.length % 4 === 0 && base64.test(value));
  if (!arePlain) return undefined;
  return {
    text,
    contextName: of('context'),
    clusterName: of('cluster'),
    userName: of('user'),
    server: of('server'),
    clientCertificate: embedded(of('certificate')),
    clientKey: embedded(of('key')),
    clusterCa: embedded(of('ca')),
  };
}

function embedded(value: string): Embedded {
  return { kind: 'data', bytes: Buffer.from(value, 'base64') };
}
