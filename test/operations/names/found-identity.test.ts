import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { plannedLayout } from '../../../src/inventory/layout.ts';
import { readNodeTraces } from '../../../src/inventory/node-traces.ts';
import {
  foundIdentity,
  type Found,
  type FoundIdentity,
} from '../../../src/operations/names/found-identity.ts';
import { pod, writeManifest, writeManifests } from '../../support/manifests.ts';
import { copyFixture, fixturePath, type Tree } from '../../support/tree.ts';

/** As `value by path`, the paths as somebody inside the root sees them. */
function found({ directory }: Tree): Readonly<Record<keyof FoundIdentity, string>> {
  const root = FileSystemRoot.open(directory, '/');
  const layout = plannedLayout(root, {
    certDir: undefined,
    kubeconfigDir: undefined,
    manifestsDir: undefined,
  });
  const shown = (from: string): string => (from.startsWith('/') ? root.display(from) : from);
  const told = (one: Found<string | number>): string => {
    switch (one.status) {
      case 'found':
        return `${String(one.value)} by ${shown(one.from)}`;
      case 'contradiction':
        return one.traces.map(({ value, from }) => `${value} by ${shown(from)}`).join(' or ');
      case 'nothing':
        return 'nothing';
    }
  };
  const { nodeName, advertiseAddress, bindPort } = foundIdentity(readNodeTraces(layout));
  return {
    nodeName: told(nodeName),
    advertiseAddress: told(advertiseAddress),
    bindPort: told(bindPort),
  };
}

function write({ directory }: Tree, path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

const etc = '/etc/kubernetes';

/** Without what tells best. */
function node(t: TestContext, ...gone: readonly string[]): Tree {
  const tree = copyFixture(t, 'stacked-etcd-rsa');
  for (const path of gone) rmSync(join(tree.kubeconfigDir, path), { recursive: true });
  return tree;
}

describe("whose node's disk it is", () => {
  test('is told best by the manifests, and by the certificate of the kubelet', (t) => {
    const tree = node(t);
    writeManifests(tree);
    assert.deepEqual(found(tree), {
      nodeName: `control-plane-1 by ${etc}/kubelet.conf`,
      advertiseAddress: `192.0.2.10 by ${etc}/manifests/kube-apiserver.yaml`,
      bindPort: `6443 by ${etc}/controller-manager.conf`,
    });
    const flags = ['--advertise-address=192.0.2.44', '--secure-port=7443'];
    writeManifest(tree, 'kube-apiserver', pod('kube-apiserver', flags, { host: 'x', scheme: 'HTTPS' }));
    const { advertiseAddress, bindPort } = found(tree);
    assert.deepEqual(
      [advertiseAddress, bindPort],
      [`192.0.2.44 by ${etc}/manifests/kube-apiserver.yaml`, `7443 by ${etc}/manifests/kube-apiserver.yaml`],
    );
    rmSync(join(tree.kubeconfigDir, 'manifests/kube-apiserver.yaml'));
    assert.equal(found(tree).advertiseAddress, `192.0.2.10 by ${etc}/manifests/etcd.yaml`);
  });

  test('the certificate that the kubelet has renewed, and kubelet.conf leads to or is gone', (t) => {
    const tree = node(t, 'pki/etcd');
    const kubeconfig = join(tree.kubeconfigDir, 'kubelet.conf');
    const data = /client-certificate-data: (\S+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? '';
    const pki = '/var/lib/kubelet/pki';
    write(tree, `${pki}/kubelet-client-2026.pem`, Buffer.from(data, 'base64').toString());
    symlinkSync(`${pki}/kubelet-client-2026.pem`, join(tree.directory, `${pki}/kubelet-client-current.pem`));
    rmSync(kubeconfig);
    assert.equal(found(tree).nodeName, `control-plane-1 by ${pki}/kubelet-client-current.pem`);
  });

  test('else by the certificates of etcd', (t) => {
    assert.deepEqual(found(node(t, 'kubelet.conf')), {
      nodeName: `control-plane-1 by ${etc}/pki/etcd/server.crt`,
      advertiseAddress: `192.0.2.10 by ${etc}/pki/etcd/server.crt`,
      bindPort: `6443 by ${etc}/controller-manager.conf`,
    });
  });

  test('and these only where they are as kubeadm makes them', (t) => {
    const tree = node(t, 'kubelet.conf', 'pki/etcd/peer.crt');
    // Made out to 2001:db8::10 alone.
    const custom = fixturePath('ipv6', 'etc/kubernetes/pki/etcd/server.crt');
    copyFileSync(custom, join(tree.certDir, 'etcd/server.crt'));
    assert.deepEqual(found(tree), {
      nodeName: 'nothing',
      advertiseAddress: `192.0.2.10 by ${etc}/controller-manager.conf`,
      bindPort: `6443 by ${etc}/controller-manager.conf`,
    });
  });

  test('else by the name that kubeadm started the kubelet with, and that of the machine', (t) => {
    const tree = node(t, 'kubelet.conf', 'pki/etcd');
    assert.equal(found(tree).nodeName, 'nothing');
    write(tree, 'etc/hostname', 'localhost.localdomain\n');
    assert.equal(found(tree).nodeName, 'nothing');
    write(tree, 'etc/hostname', 'CP-1\n');
    assert.equal(found(tree).nodeName, 'cp-1 by /etc/hostname');
    write(
      tree,
      'var/lib/kubelet/kubeadm-flags.env',
      'KUBELET_KUBEADM_ARGS="--v=2 --hostname-override=cp-a"\n',
    );
    assert.equal(found(tree).nodeName, "cp-a by the kubelet's flag --hostname-override");
  });

  test('controller-manager.conf tells the address only where the others are led elsewhere', (t) => {
    const tree = node(t, 'pki/etcd');
    assert.equal(found(tree).advertiseAddress, `192.0.2.10 by ${etc}/controller-manager.conf`);
    for (const name of ['admin.conf', 'kubelet.conf']) {
      const path = join(tree.kubeconfigDir, name);
      writeFileSync(path, readFileSync(path, 'utf8').replace('cluster.example.com', '192.0.2.10'));
    }
    const { advertiseAddress, bindPort } = found(tree);
    // It may be a load balancer's.
    assert.deepEqual([advertiseAddress, bindPort], ['nothing', 'nothing']);
  });

  test('files that contradict each other tell nothing', (t) => {
    const tree = node(t);
    writeManifests(tree);
    const path = join(tree.kubeconfigDir, 'manifests/etcd.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('--name=control-plane-1', '--name=cp-2'));
    assert.equal(
      found(tree).nodeName,
      `control-plane-1 by ${etc}/kubelet.conf or cp-2 by ${etc}/manifests/etcd.yaml`,
    );
  });

  test('a file that cannot be read tells nothing', (t) => {
    const tree = node(t, 'pki/etcd');
    for (const name of [
      'kubelet.conf',
      'controller-manager.conf',
      'scheduler.conf',
      'manifests/kube-apiserver.yaml',
    ]) {
      write(tree, `etc/kubernetes/${name}`, 'a: [');
    }
    assert.deepEqual(Object.values(found(tree)), ['nothing', 'nothing', 'nothing']);
  });
});
