import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { KubeadmConfig } from '../../src/config/kubeadm-config.ts';
import { namedAlgorithm, openNode, readConfiguration } from '../../src/node/node-options.ts';
import { collecting } from '../support/collecting.ts';
import { copyFixture, fixturePath, type Tree } from '../support/tree.ts';

const silent = collecting().open();

/** As it is read from the cluster. */
const cluster: KubeadmConfig = {
  certificatesDir: '/etc/kubernetes/pki',
  etcd: { kind: 'stacked' },
  encryptionAlgorithm: 'RSA-2048',
  certificateValidityMs: undefined,
  caCertificateValidityMs: undefined,
};

/** A configuration of another opinion. */
function configFile({ directory }: Tree): string {
  const file = join(directory, 'kubeadm.yaml');
  const lines = ['apiVersion: kubeadm.k8s.io/v1beta4', 'kind: ClusterConfiguration'];
  writeFileSync(file, [...lines, 'encryptionAlgorithm: ECDSA-P256', ''].join('\n'));
  return '/kubeadm.yaml';
}

describe("a node's configuration", () => {
  test('the file that was named is used, whatever the cluster says', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const options = { rootfs: tree.directory, config: configFile(tree) };
    const configuration = await readConfiguration(options, silent, cluster);
    assert.equal(configuration.configFrom, 'command-line');
    const node = openNode(options, configuration);
    assert.deepEqual(namedAlgorithm(node), { name: 'ECDSA-P256', from: 'command-line' });
    assert.deepEqual(node.flags, ['--config', '/kubeadm.yaml', '--rootfs', tree.directory]);
  });

  test('what the cluster says is no option, and a hint names its directory all the same', async () => {
    const options = { rootfs: fixturePath('ipv6', '.') };
    const node = openNode(options, await readConfiguration(options, silent, cluster));
    assert.deepEqual(namedAlgorithm(node), { name: 'RSA-2048', from: 'cluster' });
    assert.equal(node.layout.certDir, join(options.rootfs, '/etc/kubernetes/pki'));
    assert.deepEqual(node.flags, ['--cert-dir', '/etc/kubernetes/pki', '--rootfs', options.rootfs]);
    assert.deepEqual(Object.keys(options), ['rootfs']);
  });

  test('without either it is nobody’s', async () => {
    const options = { rootfs: fixturePath('ipv6', '.') };
    const node = openNode(options, await readConfiguration(options, silent));
    assert.deepEqual([node.config, node.configFrom], [undefined, 'nobody']);
    assert.equal(namedAlgorithm(node), undefined);
    assert.deepEqual(node.flags, ['--rootfs', options.rootfs]);
  });
});
