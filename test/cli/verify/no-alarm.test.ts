import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kubepki } from '../../support/kubepki.ts';
import { done } from '../../support/node.ts';
import { copyFixture, temporaryDirectory } from '../../support/tree.ts';

/** Nothing is said of it, and what there is has been looked at. */
async function isWell(directory: string, when: string): Promise<void> {
  const { stdout, stderr, code } = await kubepki(['verify', '--rootfs', directory]);
  assert.deepEqual([stderr, code], ['', 0], `${when}: ${stdout}`);
  assert.doesNotMatch(stdout, /^(?!OK|-)./m, when);
}

describe('verify accuses no node that is right', () => {
  // Their keys are ECDSA, so that a renewal takes no time.
  for (const role of ['stacked-etcd-ecdsa', 'v1.35-stacked-etcd-p384', 'ipv6', 'symlinks', 'super-admin']) {
    test(`${role}: before a renewal, after it, and when it is taken back`, async (t) => {
      const tree = copyFixture(t, role);
      await isWell(tree.directory, 'before');
      await done(tree, 'renew', 'all');
      await isWell(tree.directory, 'renewed');
      await done(tree, 'rollback');
      await isWell(tree.directory, 'taken back');
    });
  }

  for (const version of ['1.20', '1.28', '1.29', '1.31', '1.34', '1.36.1']) {
    test(`what kubeadm ${version} would make`, async (t) => {
      const directory = temporaryDirectory(t);
      mkdirSync(join(directory, 'etc/kubernetes'), { recursive: true });
      writeFileSync(
        join(directory, 'kubeadm.yaml'),
        `apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
encryptionAlgorithm: ECDSA-P256
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
