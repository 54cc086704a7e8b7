import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { requireSound } from '../faults/invariants.ts';
import { requireAccepted } from '../support/servers/accepted.ts';
import { leafFiles } from '../support/certificates/certificates.ts';
import { temporaryDirectory, type Tree } from '../support/tree.ts';
import { kubepkiInProcess as kubepki } from '../support/in-process.ts';

for (const [algorithm, flags] of [
  ['RSA-2048', []],
  ['ECDSA-P384', ['--config', join(import.meta.dirname, '../../fixtures/super-admin/kubeadm.yaml')]],
] as const) {
  test(`etcd with mutual TLS and kubectl accept a generated directory (${algorithm})`, async (t) => {
    const directory = temporaryDirectory(t);
    const kubeconfigDir = join(directory, 'etc/kubernetes');
    const tree: Tree = { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
    const { code, stderr } = await kubepki([
      ...['certs', 'generate', '--cert-dir', tree.certDir, '--kubeconfig-dir', kubeconfigDir, ...flags],
      ...['--node-name', 'control-plane-1', '--advertise-address', '127.0.0.1'],
      ...['--cert-extra-sans', 'api.example.com'],
    ]);
    assert.equal(code, 0, stderr);
    const leaves = leafFiles(tree, join(directory, 'scratch'));
    requireSound(tree, join(directory, 'scratch'), 11);
    await requireAccepted(t, tree, leaves);
  });
}
