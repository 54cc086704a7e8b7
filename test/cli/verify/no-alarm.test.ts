import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { doneInProcess as done, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { plane, quickly, restart } from '../../support/kubelet/restart.ts';
import { copyFixture, temporaryDirectory } from '../../support/tree.ts';

/** Nothing is said of it, and what there is has been looked at. */
async function isWell(directory: string, when: string, ...flags: readonly string[]): Promise<void> {
  const { stdout, stderr, code } = await kubepki(['verify', ...flags, '--rootfs', directory]);
  assert.deepEqual([stderr, code], ['', 0], `${when}: ${stdout}`);
  assert.doesNotMatch(stdout, /^(?!OK|-)./m, when);
}

const versions = ['1.20', '1.28', '1.29', '1.31', '1.34', '1.36.1'];
const algorithms = ['ECDSA-P256', 'ECDSA-P384', 'RSA-2048'];

describe('verify accuses no node that is right', () => {
  for (const role of [
    ...['stacked-etcd-rsa', 'stacked-etcd-ecdsa', 'v1.35-stacked-etcd-rsa', 'v1.35-stacked-etcd-p384'],
    ...['v1.35-dual-stack', 'ipv6', 'symlinks', 'super-admin', 'rsa-ca-ecdsa-leaves', 'ecdsa-ca-rsa-leaves'],
  ]) {
    test(`${role}: before a renewal, after it, and when it is taken back`, async (t) => {
      const tree = copyFixture(t, role);
      await isWell(tree.directory, 'before');
      await done(tree, 'renew', 'all');
      await isWell(tree.directory, 'renewed');
      await done(tree, 'rollback');
      await isWell(tree.directory, 'taken back');
    });
  }

  test('whose CA is elsewhere: before its certificates are brought home, after it, and when they are taken back', async (t) => {
    const external = externalTree(t, 'stacked-etcd-ecdsa');
    if (external === undefined) return;
    const { tree, ca, csrDir } = external;
    await isWell(tree.directory, 'before');
    await done(tree, 'renew', 'all', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    await done(tree, 'install', '--csr-dir', '/csr');
    await isWell(tree.directory, 'installed');
    await done(tree, 'rollback');
    await isWell(tree.directory, 'taken back');
  });

  test('whose components run: before, after a renewal and a restart, and after a rollback and another', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const { directory } = node.tree;
    // The stand-ins listen on the loopback address.
    await done(node.tree, 'renew', 'apiserver', '--add-san', '127.0.0.1');
    assert.equal((await restart(node, ...quickly)).code, 0);
    await isWell(directory, 'before', '--live');
    for (const change of [['renew', 'all'], ['rollback']]) {
      await done(node.tree, ...change);
      const { code, stderr } = await restart(node, ...quickly);
      assert.equal(code, 0, stderr);
      await isWell(directory, change.join(' '), '--live');
    }
  });

  for (const [version, algorithm] of [
    ...versions.flatMap((one) => algorithms.map((other) => [one, other] as const)),
    ['1.36.1', 'RSA-3072'],
  ]) {
    test(`what kubeadm ${version} would make with ${algorithm}`, async (t) => {
      const directory = temporaryDirectory(t);
      mkdirSync(join(directory, 'etc/kubernetes'), { recursive: true });
      writeFileSync(
        join(directory, 'kubeadm.yaml'),
        `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
encryptionAlgorithm: ${algorithm}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: 192.0.2.10}
nodeRegistration: {name: cp-1}
`,
      );
      const made = await kubepki([
        ...['certs', 'generate', '--rootfs', directory, '--config', '/kubeadm.yaml', '--compat', version],
      ]);
      assert.equal(made.code, 0, made.stderr);
      await isWell(directory, 'made');
    });
  }
});
