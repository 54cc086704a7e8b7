import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quickTree } from '../node.ts';
import type { Cleanup, Tree } from '../tree.ts';
import type { Pair } from './authority.ts';
import {
  kubeadmConfigMap,
  startClusterServer,
  type Api,
  type ClusterServer,
  type Fault,
  type Faults,
} from './server.ts';

export interface NodeOfCluster {
  readonly tree: Tree;
  readonly server: ClusterServer;
}

export interface NodeOfClusterWishes {
  /** Instead of a new one. */
  readonly tree?: Tree;
  readonly api?: Api;
  /** Where its API server listens; 127.0.0.1 if undefined. */
  readonly host?: string;
  /** Instead of `api`: parts of the API that need the node's CA. */
  readonly apis?: (tree: Tree) => readonly Api[];
  /** Instead of the node's apiserver.crt. */
  readonly serving?: (tree: Tree) => Pair;
  readonly fault?: Fault;
  readonly faults?: Faults;
}

/** A node whose admin.conf leads to a server of its own cluster, which serves its own apiserver.crt. */
export async function nodeOfCluster(
  t: Cleanup & { after(cleanUp: () => Promise<void>): void },
  {
    tree = quickTree(t),
    api = kubeadmConfigMap(),
    host = '127.0.0.1',
    apis,
    serving,
    fault,
    faults,
  }: NodeOfClusterWishes = {},
): Promise<NodeOfCluster> {
  const pki = (name: string): Buffer => readFileSync(join(tree.certDir, name));
  const server = await startClusterServer({
    ca: pki('ca.crt'),
    host,
    serving: serving?.(tree) ?? { certificate: pki('apiserver.crt'), key: pki('apiserver.key') },
    apis: apis?.(tree) ?? [api],
    ...(fault === undefined ? {} : { fault }),
    ...(faults === undefined ? {} : { faults }),
  });
  t.after(() => server.stop());
  leadTo(tree, 'admin.conf', server.port, host);
  return { tree, server };
}

/** Has a kubeconfig lead to a server on loopback, which has one of the names of apiserver.crt. */
export function leadTo(tree: Tree, name: string, port: number, host = '127.0.0.1'): void {
  const path = join(tree.kubeconfigDir, name);
  const text = readFileSync(path, 'utf8');
  const server = `server: https://${host}:${String(port)}\n    tls-server-name: kubernetes\n`;
  writeFileSync(path, text.replace(/server: .*\n/, server));
}

/** A v1beta4 ClusterConfiguration, as an operator would see it in the ConfigMap. */
export function clusterConfiguration(...lines: readonly string[]): string {
  return ['apiVersion: kubeadm.k8s.io/v1beta4', 'kind: ClusterConfiguration', ...lines, ''].join('\n');
}
