import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startApiServer } from './api-server.ts';
import { leafFile, type LeafFiles } from '../certificates/certificates.ts';
import { startEtcdCluster } from './etcd-cluster.ts';
import { judge } from '../judge.ts';
import { runProgram } from '../program.ts';
import { temporaryDirectory, type Tree } from '../tree.ts';

/** A real etcd serves with them and lets the clients in, and kubectl works with every kubeconfig. */
export async function requireAccepted(
  t: TestContext,
  tree: Tree,
  leaves: readonly LeafFiles[],
): Promise<void> {
  const [etcd, etcdctl, kubectl] = [judge(t, 'etcd'), judge(t, 'etcdctl'), judge(t, 'kubectl')];
  if (etcd === undefined || etcdctl === undefined || kubectl === undefined) return;
  const cluster = await startEtcdCluster(etcd, leaves, 3);
  try {
    for (const name of ['etcd-healthcheck-client', 'apiserver-etcd-client']) {
      const { ca, certificate, key } = leafFile(leaves, name);
      const { code, stdout, stderr } = await runProgram(
        etcdctl,
        [
          `--endpoints=${cluster.endpoints.join(',')}`,
          ...[`--cacert=${ca}`, `--cert=${certificate}`, `--key=${key}`, 'endpoint', 'health'],
        ],
        { ETCDCTL_API: '3' },
      );
      assert.equal(code, 0, stdout + stderr);
    }
  } finally {
    await cluster.stop();
  }
  const home = temporaryDirectory(t);
  const server = await startApiServer(leafFile(leaves, 'apiserver'));
  try {
    const identities = {
      'admin.conf': ['kubernetes-admin', ['kubeadm:cluster-admins']],
      'controller-manager.conf': ['system:kube-controller-manager', []],
      'kubelet.conf': ['system:node:control-plane-1', ['system:nodes']],
      'scheduler.conf': ['system:kube-scheduler', []],
      'super-admin.conf': ['kubernetes-super-admin', ['system:masters']],
    } as const;
    for (const [name, [commonName, organisations]] of Object.entries(identities)) {
      const { code, stderr } = await runProgram(
        kubectl,
        [
          `--server=${server.url}`,
          ...['--tls-server-name=api.example.com', `--kubeconfig=${join(tree.kubeconfigDir, name)}`],
          ...['get', '--raw', '/healthz'],
        ],
        { HOME: home },
      );
      assert.equal(code, 0, `${name}: ${stderr}`);
      const { path, serial, ...who } = server.seen.at(-1) ?? {};
      assert.deepEqual([path, who], ['/healthz', { commonName, organisations }]);
      assert.ok(serial);
    }
  } finally {
    await server.stop();
  }
}
