import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { leafFiles, type LeafFiles } from '../../support/certificates/certificates.ts';
import { makeCa } from '../../support/certificates/resigned.ts';
import { doneInProcess } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { edit } from '../../support/planners/verified-node.ts';
import { startEtcdCluster, type EtcdCluster } from '../../support/servers/etcd-cluster.ts';
import { nodeWith, verifyLive } from '../../support/servers/live-node.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

const manifest = 'etc/kubernetes/manifests/etcd.yaml';

/** The node's etcd is this member of the cluster. */
function become(tree: Tree, cluster: EtcdCluster, member: number): void {
  const [client, peer] = [cluster.endpoints[member] ?? '', cluster.peers[member] ?? ''];
  edit(tree, manifest, (text) =>
    text
      .replace(/--listen-client-urls=.*/, `--listen-client-urls=${client}`)
      .replace(/--listen-peer-urls=.*/, `--listen-peer-urls=${peer}`),
  );
}

/** The same files elsewhere, so that a renewal of the node does not reach them. */
function aside(t: TestContext, leaves: readonly LeafFiles[]): readonly LeafFiles[] {
  const directory = temporaryDirectory(t);
  return leaves.map((leaf) => {
    const to = (kind: string): string => join(directory, `${leaf.name}.${kind}`);
    copyFileSync(leaf.certificate, to('crt'));
    copyFileSync(leaf.key, to('key'));
    return { ...leaf, certificate: to('crt'), key: to('key') };
  });
}

describe('etcd, three members with peers and mutual TLS', () => {
  test('is well, each member, for its clients and its peers', async (t) => {
    const etcd = judge(t, 'etcd');
    if (etcd === undefined) return;
    const tree = nodeWith(t, 'etcd');
    const leaves = leafFiles(tree, temporaryDirectory(t));
    const cluster = await startEtcdCluster(etcd, leaves, 3);
    t.after(() => cluster.stop());
    for (const member of [0, 1, 2]) {
      become(tree, cluster, member);
      const { live, code, stdout } = await verifyLive(tree, '--live');
      assert.deepEqual([live, code], [[], 0], stdout);
      for (const check of ['live-answers', 'live-served', 'live-valid'])
        assert.match(stdout, new RegExp(`^OK +${check} .*\\(2\\)$`, 'm'));
    }
    // etcd reads its certificate anew for each handshake: after a renewal it serves what is on disk.
    await doneInProcess(tree, 'renew', 'etcd-server', 'etcd-peer');
    const renewed = await verifyLive(tree, '--live');
    assert.deepEqual([renewed.live, renewed.code], [[], 0], renewed.stdout);
    // What it is shown is its own certificate, so that it has refused nobody.
    assert.doesNotMatch(
      cluster.log(),
      /bad certificate|didn't provide a certificate|failed to verify client/,
    );
  });

  test('has a member that still serves what was there before, to clients, to peers, or to both', async (t) => {
    const etcd = judge(t, 'etcd');
    if (etcd === undefined) return;
    const tree = nodeWith(t, 'etcd');
    const before = aside(t, leafFiles(tree, temporaryDirectory(t)));
    const cluster = await startEtcdCluster(etcd, before, 3);
    t.after(() => cluster.stop());
    become(tree, cluster, 1);
    const older = (what: string, file: string): RegExp =>
      new RegExp(
        `^ERROR +live-served +\\S+/etcd/${file}\\.crt: ${what} at 127\\.0\\.0\\.1:\\d+ serves an older certificate than this, which ends on \\S+; next: restart it: kubepki restart etcd`,
        'm',
      );
    await doneInProcess(tree, 'renew', 'etcd-server');
    const clients = await verifyLive(tree, '--live');
    assert.deepEqual([clients.live, clients.code], [['ERROR live-served'], 5], clients.stdout);
    assert.match(clients.stdout, older('etcd', 'server'));
    await doneInProcess(tree, 'renew', 'etcd-peer');
    const both = await verifyLive(tree, '--live');
    assert.deepEqual(both.live, ['ERROR live-served', 'ERROR live-served'], both.stdout);
    assert.match(both.stdout, older('etcd \\(peers\\)', 'peer'));
    await doneInProcess(tree, 'rollback');
    const back = await verifyLive(tree, '--live');
    assert.deepEqual(back.live, ['ERROR live-served'], back.stdout);
  });

  test('of another CA is found, and shows its certificate though it takes none of this node', async (t) => {
    const etcd = judge(t, 'etcd');
    const openssl = judge(t, 'openssl');
    if (etcd === undefined || openssl === undefined) return;
    const tree = nodeWith(t, 'etcd');
    const leaves = leafFiles(tree, temporaryDirectory(t));
    const cluster = await startEtcdCluster(etcd, aside(t, leaves), 1);
    t.after(() => cluster.stop());
    become(tree, cluster, 0);
    // The key is not the one of the certificate that etcd would be shown.
    makeCa(openssl, join(tree.certDir, 'etcd/ca'), 'etcd-ca');
    copyFileSync(join(tree.certDir, 'etcd/ca.key'), join(tree.certDir, 'etcd/server.key'));
    const { live, code, stdout } = await verifyLive(tree, '--live');
    assert.deepEqual([live, code], [['ERROR live-valid', 'ERROR live-valid'], 5], stdout);
    assert.match(stdout, /^OK +live-answers /m);
    assert.match(
      stdout,
      /etcd \(peers\) serves a certificate that is not signed by the CA of \S+\/etcd\/ca\.crt/,
    );
  });
});
