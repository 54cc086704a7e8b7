import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judge } from '../support/judge.ts';
import { certs } from '../support/node.ts';
import { startControlPlane } from '../support/kubelet/control-plane.ts';
import { quickly, restart } from '../support/kubelet/restart.ts';
import { fileFingerprint, servedFingerprint } from '../support/served-fingerprint.ts';

const components = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];

describe('kubepki restart', () => {
  test('restarts all, etcd first, and each serves its new certificate', async (t) => {
    const etcd = judge(t, 'etcd');
    const openssl = judge(t, 'openssl');
    if (etcd === undefined || openssl === undefined) return;
    const plane = await startControlPlane(t, { etcd, openssl });
    const { tree, kubelet, ports, manifestsDir } = plane;
    const before = components.map((name) => readFileSync(join(manifestsDir, `${name}.yaml`), 'utf8'));
    const pids = components.map((name) => kubelet.pid(`${name}.yaml`));
    const old = servedFingerprint(openssl, ports.apiserver);
    const renewed = await certs(tree, 'renew', 'all');
    assert.equal(renewed.code, 0, renewed.stderr);
    // The stand-in reads its certificate once: without a restart it serves the old one.
    assert.equal(servedFingerprint(openssl, ports.apiserver), old);
    const { code, stdout, stderr } = await restart(plane, ...quickly);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    const pki = tree.certDir;
    assert.deepEqual(stdout.trim().split('\n'), [
      'etcd restarted',
      `etcd serves the new certificate (${pki}/etcd/server.crt)`,
      `etcd serves its peers the new certificate (${pki}/etcd/peer.crt)`,
      'kube-apiserver restarted',
      `kube-apiserver serves the new certificate (${pki}/apiserver.crt)`,
      'kube-controller-manager restarted',
      'kube-scheduler restarted',
    ]);
    assert.deepEqual(
      kubelet.starts.slice(4),
      components.map((name) => `${name}.yaml`),
    );
    for (const [index, name] of components.entries()) {
      assert.notEqual(kubelet.pid(`${name}.yaml`), pids[index], `${name} is another process`);
      const path = join(manifestsDir, `${name}.yaml`);
      assert.equal(readFileSync(path, 'utf8'), before[index]);
      assert.equal(statSync(path).mode & 0o777, 0o600);
    }
    assert.equal(
      servedFingerprint(openssl, ports.apiserver),
      fileFingerprint(openssl, join(pki, 'apiserver.crt')),
    );
    const client = {
      certificate: join(pki, 'etcd/healthcheck-client.crt'),
      key: join(pki, 'etcd/healthcheck-client.key'),
    };
    assert.equal(
      servedFingerprint(openssl, ports.etcdClient, client),
      fileFingerprint(openssl, join(pki, 'etcd/server.crt')),
    );
  });
});
