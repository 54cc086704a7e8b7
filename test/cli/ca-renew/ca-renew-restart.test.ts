/** `ca renew --restart` with a real etcd, whose clients and server go on with the leaves they have. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { plane, quickly } from '../../support/kubelet/restart.ts';
import { kubepki } from '../../support/kubepki.ts';
import { stateDirectory } from '../../support/node.ts';

test('ca renew --restart restarts what reads a CA at start only, and all of it is well with the old leaves', async (t) => {
  const node = await plane(t);
  if (node === undefined) return;
  const rootfs = ['--rootfs', node.tree.directory];
  const renew = ['ca', 'renew', ...rootfs, '--validity', '60y'];
  const { code, stdout, stderr } = await kubepki([...renew, 'etcd-ca', '--restart', ...quickly]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^etcd restarted$/m);
  assert.match(stdout, /^kube-apiserver restarted$/m);
  assert.deepEqual(node.kubelet.starts.slice(4), ['etcd.yaml', 'kube-apiserver.yaml']);
  await node.healthy();
  assert.equal(existsSync(join(stateDirectory(node.tree), 'pending-restarts.json')), false);
  // The front-proxy CA is read as it changes.
  const other = await kubepki([...renew, 'front-proxy-ca', '--restart', ...quickly]);
  assert.equal(other.code, 0, other.stderr);
  assert.equal(node.kubelet.starts.length, 6);
});
