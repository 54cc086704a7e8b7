import { isPlainMapping, readPlainYaml, type PlainMapping } from '../yaml/plain-yaml.ts';
import type { Embedded, Kubeconfig } from './kubeconfig.ts';

const base64 = /^[A-Za-z0-9+/]{100,}={0,2}$/;
// What the two readers cannot take for two things: no null, no quotes.
const word = /^[A-Za-z](?:[\w.@:/-]|\[[0-9a-f:]+\])*\w$/;
const absolute = /^\/[\w.@/-]+$/;
const isNull = /^null$/i;

/**
 * A kubeconfig such as kubeadm and the kubelet write: one cluster, one context, one user, and each certificate and key is in it, or
 * in a file with an absolute path. Most kubeconfigs of most nodes are such, and a YAML parser goes over their base64 character by
 * character, which takes longer than all the rest of a node's files.
 * @returns undefined for any other text, right or wrong
 */
export function readPlainKubeconfig(text: string): Kubeconfig | undefined {
  const root = readPlainYaml(text);
  if (!isPlainMapping(root) || root['apiVersion'] !== 'v1' || root['kind'] !== 'Config') return undefined;
  const [context, user, cluster] = [
    onlyOne(root, 'contexts', 'context'),
    onlyOne(root, 'users', 'user'),
    onlyOne(root, 'clusters', 'cluster'),
  ];
  if (context === undefined || user === undefined || cluster === undefined) return undefined;
  const server = wordIn(cluster.value, 'server');
  const clientCertificate = embedded(user.value, 'client-certificate');
  const clientKey = embedded(user.value, 'client-key');
  const clusterCa = embedded(cluster.value, 'certificate-authority');
  if (clientCertificate === undefined || clientKey === undefined || clusterCa === undefined) return undefined;
  // The other reader tells of a context that leads nowhere.
  const isWhole =
    wordIn(root, 'current-context') === context.name &&
    wordIn(context.value, 'user') === user.name &&
    wordIn(context.value, 'cluster') === cluster.name;
  if (!isWhole || server === undefined) return undefined;
  return {
    text,
    contextName: context.name,
    clusterName: cluster.name,
    userName: user.name,
    server,
    clientCertificate,
    clientKey,
    clusterCa,
  };
}

interface Named {
  readonly name: string;
  readonly value: PlainMapping;
}

function onlyOne(root: PlainMapping, list: string, field: string): Named | undefined {
  const items = root[list];
  if (typeof items !== 'object' || isPlainMapping(items)) return undefined;
  const [item, ...others] = items;
  if (!isPlainMapping(item) || others.length > 0) return undefined;
  const [name, value] = [wordIn(item, 'name'), item[field]];
  return name === undefined || !isPlainMapping(value) ? undefined : { name, value };
}

function wordIn(map: PlainMapping, field: string): string | undefined {
  const text = map[field];
  return typeof text === 'string' && word.test(text) && !isNull.test(text) ? text : undefined;
}

/** Of data and a file the data counts, if there is any: that the other reader tells. */
function embedded(map: PlainMapping, field: string): Embedded | undefined {
  const [data, path] = [map[`${field}-data`], map[field]];
  if (data === undefined) {
    return typeof path === 'string' && absolute.test(path) ? { kind: 'file', path } : undefined;
  }
  const isPlain =
    path === undefined && typeof data === 'string' && data.length % 4 === 0 && base64.test(data);
  return isPlain ? { kind: 'data', bytes: Buffer.from(data, 'base64') } : undefined;
}
