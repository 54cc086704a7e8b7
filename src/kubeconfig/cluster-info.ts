import { isMap } from 'yaml';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { badKubeconfig, findNamed, findText } from './lookup.ts';
import { embedded } from './read.ts';

/** How a node that has not joined yet finds the cluster. */
export interface ClusterInfo {
  readonly server: string | undefined;
  /** PEM, or what stands there in its place; undefined: none is in it. */
  readonly ca: string | undefined;
}

/**
 * Reads the kubeconfig that kubeadm leaves in the ConfigMap `cluster-info`. It has no context and no user, and its cluster has no
 * name; kubeadm takes that one, else the one of the context (kubeconfigutil.GetClusterFromKubeConfig).
 * @throws KubepkiError bad-kubeconfig, without a file
 */
export function readClusterInfo(text: string): ClusterInfo {
  const [first] = parseYaml(text, { code: 'bad-kubeconfig', schema: 'failsafe' });
  const root = first?.document.contents;
  if (first === undefined || !isMap(root)) throw badKubeconfig('it is no mapping');
  const { aliases } = first;
  const context = findNamed(aliases, root, 'contexts', 'context', findText(aliases, root, 'current-context'));
  const named = context && findText(aliases, context, 'cluster');
  const cluster =
    findNamed(aliases, root, 'clusters', 'cluster', undefined) ??
    (named === undefined ? undefined : findNamed(aliases, root, 'clusters', 'cluster', named));
  if (cluster === undefined) throw badKubeconfig('it names no cluster');
  const ca = embedded(aliases, cluster, 'certificate-authority');
  return {
    server: findText(aliases, cluster, 'server'),
    ca: ca.kind === 'data' ? ca.bytes.toString('utf8') : undefined,
  };
}
