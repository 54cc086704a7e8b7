import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { nodeOfCluster } from '../../support/cluster/node.ts';
import { node, objectsApi } from '../../support/cluster/objects-api.ts';
import type { Api } from '../../support/cluster/server.ts';
import { clusterInfo } from '../../support/planners/verified-cluster.ts';
import { ca, done, freshNode, stage, unasked } from './rotated-node.ts';

interface ConfigMap {
  readonly data: { readonly kubeconfig: string };
}

const clusterInfoPath = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

test('a stage that is taken back where the cluster can be asked', async (t) => {
  const tree = await freshNode(t);
  const pem = (): string => readFileSync(join(tree.certDir, 'ca.crt'), 'utf8');
  const old = pem();
  const names = ['worker-1'];
  const map = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    ...{ metadata: { name: 'cluster-info', resourceVersion: '7' }, data: { kubeconfig: '' } },
  };
  const nodes: Api = (asked) =>
    objectsApi({ '/api/v1/nodes': { kind: 'Node', items: names.map((name) => node(name, [])) } })(asked);
  const info: Api = ({ method, path, body }) => {
    if (path !== clusterInfoPath) return undefined;
    if (method === 'PUT') map.data = (body as ConfigMap).data;
    return { status: 200, body: map };
  };
  await nodeOfCluster(t, { tree, apis: () => [nodes, info] });
  await done(tree.directory, 'rotate', 'prepare', 'ca', ...unasked);
  await stage(tree.directory, 'trust');
  const both = pem();
  assert.notEqual(both, old);
  map.data = { kubeconfig: clusterInfo(both) };
  const { stdout } = await done(tree.directory, 'status', '--offline', '-o', 'json');
  names.push((JSON.parse(stdout) as { readonly node: string }).node);

  const refused = await ca(tree.directory, 'rollback');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /^error: nothing is known of worker-1: no status was sent$/m);
  assert.equal(pem(), both);

  // Without any other node there is nothing to be told of others.
  names.shift();
  const { stderr } = await done(tree.directory, 'rollback');
  assert.equal(pem(), old);
  assert.match(stderr, /^note: restart the kubelet to use what has come back$/m);
  assert.match(stderr, /^note: cluster-info holds the CAs of prepare$/m);
  assert.equal(map.data.kubeconfig, clusterInfo(old));
});
