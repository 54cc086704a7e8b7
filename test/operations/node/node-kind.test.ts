import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileSystemRoot } from '../../../src/filesystem/root.ts';
import { readInventory } from '../../../src/inventory/inventory.ts';
import { locateLayout } from '../../../src/inventory/layout.ts';
import { readNodeSigns, readStrangeDirectory } from '../../../src/inventory/node-signs.ts';
import { parseStaticPod } from '../../../src/inventory/kubelet/static-pods.ts';
import {
  isEtcdElsewhere,
  lacksStackedEtcd,
  managedOn,
  nodeKind,
  nothingManaged,
} from '../../../src/operations/node/node-kind.ts';
import { pod, writeManifest } from '../../support/manifests.ts';
import { copyFixture, type Cleanup, type Tree } from '../../support/tree.ts';

const kubeconfigs = ['admin.conf', 'controller-manager.conf', 'scheduler.conf'];
const ofControlPlane = [
  'apiserver',
  'apiserver-kubelet-client',
  'front-proxy-client',
  'front-proxy-ca',
  'sa',
];
const ofEtcd = ['etcd/ca', 'etcd/server', 'etcd/peer', 'etcd/healthcheck-client', 'apiserver-etcd-client'];

/** A node without these: PKI files by their path without extension, kubeconfigs by their name. */
function without(t: Cleanup, ...names: readonly string[]): Tree {
  const tree = copyFixture(t, 'ipv6');
  for (const name of names) {
    const files = name.endsWith('.conf')
      ? [join(tree.kubeconfigDir, name)]
      : ['.crt', '.key', '.pub'].map((extension) => join(tree.certDir, `${name}${extension}`));
    for (const file of files) rmSync(file, { force: true });
  }
  return tree;
}

function layoutOf({ directory }: Tree, certDir?: string) {
  const root = FileSystemRoot.open(directory, '/');
  const given = { certDir: certDir && root.locate(certDir) };
  return locateLayout(root, { kubeconfigDir: undefined, manifestsDir: undefined, certDir: given.certDir });
}

function kindOf(tree: Tree, certDir?: string) {
  const layout = layoutOf(tree, certDir);
  return nodeKind(readInventory(layout), readNodeSigns(layout));
}

describe('what kind of node it is', () => {
  test('a control plane, whatever is missing of it', (t) => {
    assert.equal(kindOf(without(t)), 'control-plane');
    assert.equal(kindOf(without(t, ...kubeconfigs)), 'control-plane');
    assert.equal(kindOf(without(t, ...ofEtcd)), 'control-plane');
    assert.equal(kindOf(without(t, 'ca', ...ofControlPlane, ...ofEtcd)), 'control-plane');
    // The keys of `generate-csr`, whose certificates are still to come.
    const tree = without(t, 'ca', ...kubeconfigs, ...ofControlPlane, ...ofEtcd);
    writeFileSync(join(tree.certDir, 'apiserver.key'), '');
    assert.equal(kindOf(tree), 'control-plane');
  });

  test('one that is to be made, with no more than the CAs, or the client certificate of an external etcd', (t) => {
    const leaves = ['apiserver', 'apiserver-kubelet-client', 'front-proxy-client'];
    assert.equal(kindOf(without(t, ...kubeconfigs, ...leaves, ...ofEtcd)), 'control-plane');
    const etcds = ['etcd/server', 'etcd/peer', 'etcd/healthcheck-client'];
    const prepared = without(t, ...kubeconfigs, 'ca', ...ofControlPlane, ...etcds);
    rmSync(join(prepared.certDir, 'etcd/ca.key'));
    assert.equal(kindOf(prepared), 'control-plane');
  });

  test("a host of an external etcd: etcd's certificates and no other, its CA's key here or not", (t) => {
    const tree = without(t, 'ca', ...kubeconfigs, ...ofControlPlane);
    assert.equal(kindOf(tree), 'etcd-host');
    rmSync(join(tree.certDir, 'etcd/ca.key'));
    assert.equal(kindOf(tree), 'etcd-host');
    rmSync(join(tree.certDir, 'etcd/peer.crt'));
    assert.equal(kindOf(tree), 'etcd-host');
  });

  test('not where an API server runs: then its certificates are missing', (t) => {
    const tree = without(t, 'ca', ...kubeconfigs, ...ofControlPlane);
    const manifest = pod('kube-apiserver', [], { host: '192.0.2.10', scheme: 'HTTPS' });
    writeManifest(tree, 'kube-apiserver', manifest);
    assert.equal(kindOf(tree), 'control-plane');
  });

  test("a host of an external etcd manages etcd's certificates alone, and one that is missing is missed", (t) => {
    const tree = without(t, 'ca', ...kubeconfigs, ...ofControlPlane, 'apiserver-etcd-client', 'etcd/peer');
    const { certificates, authorities } = managedOn('etcd-host', 'stacked', readInventory(layoutOf(tree)));
    assert.deepEqual(
      certificates.map(({ spec, state }) => [spec.name, state.status]),
      [
        ['etcd-healthcheck-client', 'present'],
        ['etcd-peer', 'missing'],
        ['etcd-server', 'present'],
      ],
    );
    assert.deepEqual(
      authorities.map(({ spec }) => spec.name),
      ['etcd-ca'],
    );
  });

  test('a worker: a kubelet.conf, and of the CA no more than its certificate', (t) => {
    const tree = without(t, ...kubeconfigs, ...ofControlPlane, ...ofEtcd);
    writeFileSync(join(tree.kubeconfigDir, 'kubelet.conf'), '');
    assert.equal(kindOf(tree), 'control-plane');
    rmSync(join(tree.certDir, 'ca.key'));
    assert.equal(kindOf(tree), 'worker');
    rmSync(join(tree.certDir, 'ca.crt'));
    assert.equal(kindOf(tree), 'worker');
    rmSync(join(tree.kubeconfigDir, 'kubelet.conf'));
    assert.equal(kindOf(tree), 'nothing');
  });

  test('nothing, where the kubeconfigs that were found are those of the machine', (t) => {
    const tree = without(t);
    writeFileSync(join(tree.kubeconfigDir, 'kubelet.conf'), '');
    assert.equal(kindOf(tree, '/etc/kubernetes'), 'nothing');
    assert.equal(kindOf(tree, '/etc'), 'nothing');
  });
});

describe('what is there instead', () => {
  const directory = { path: '/x', shown: '/x', names: [], holds: undefined };
  const hintOf = (names: readonly string[]): string =>
    nothingManaged('nothing', { ...directory, names }).hint ?? '';
  for (const [names, hint] of [
    [['server-ca.crt', 'client-ca.key'], /k3s or RKE2/],
    [['kube-ca.pem', 'kube-apiserver.pem'], /RKE, which/],
    [['member-node1.pem', 'ca.pem'], /etcd of Kubespray/],
    [['apiserver.pem', 'apiserver-key.pem'], /not those of kubeadm/],
    [[], /^it is empty: mount its disk/],
    [['lost+found'], /^it is empty: mount its disk/],
    [['notes.txt'], /^name the directory with --cert-dir$/],
  ] as const) {
    test(names.join(', '), () => {
      assert.match(hintOf(names), hint);
    });
  }

  test('the cert dir below it, and the root of a disk', (t) => {
    const tree = without(t);
    const strange = readStrangeDirectory(layoutOf(tree, '/etc/kubernetes'));
    assert.equal(nothingManaged('nothing', strange).hint, 'did you mean --cert-dir /etc/kubernetes/pki?');
    const root = FileSystemRoot.open(undefined, '/');
    const given = { certDir: tree.directory, kubeconfigDir: undefined, manifestsDir: undefined };
    assert.equal(
      nothingManaged('nothing', readStrangeDirectory(locateLayout(root, given))).hint,
      `did you mean --rootfs ${tree.directory}?`,
    );
  });
});

describe('an etcd that is elsewhere, without a configuration', () => {
  const missing = { status: 'missing' } as const;
  const apiServer = (...flags: readonly string[]) => {
    const target = { path: '/m', resolvedPath: '/m', before: undefined };
    const text = pod('kube-apiserver', ['--advertise-address=192.0.2.10', ...flags], {
      host: '192.0.2.10',
      scheme: 'HTTPS',
    });
    const value = { path: '/m', target, ...parseStaticPod(text, 'kube-apiserver') };
    return { status: 'present', value } as const;
  };
  const client = '--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt';
  for (const [flags, elsewhere] of [
    [['--etcd-servers=https://192.0.2.30:2379', client], true],
    [['--etcd-servers=https://192.0.2.10:2379,https://192.0.2.11:2379'], true],
    [['--etcd-servers', 'https://etcd.example.com:2379'], true],
    [['--etcd-servers=https://[2001:db8::30]:2379'], true],
    [['--etcd-servers=https://127.0.0.1:2379', '--etcd-certfile=/etc/etcd/client.crt'], true],
    [['--etcd-servers=https://127.0.0.1:2379', client], false],
    [['--etcd-servers=https://[::1]:2379'], false],
    [['--etcd-servers=https://localhost:2379'], false],
    [['--etcd-servers=https://192.0.2.10:2379', client], false],
    [['--etcd-servers=nonsense'], false],
    [[], false],
  ] as const) {
    test(`${flags.join(' ') || 'no flag'}: ${elsewhere ? 'yes' : 'no'}`, () => {
      const reading = apiServer(...flags);
      assert.equal(isEtcdElsewhere({ etcd: missing, 'kube-apiserver': reading }), elsewhere);
      // Where kubeadm runs one, that is the one.
      assert.equal(isEtcdElsewhere({ etcd: reading, 'kube-apiserver': reading }), false);
    });
  }

  test('not where no API server runs', () => {
    assert.equal(isEtcdElsewhere({ etcd: missing, 'kube-apiserver': missing }), false);
  });

  test("not where anything of a stacked etcd's own is there; its client certificate may be", (t) => {
    const etcds = ['etcd/server', 'etcd/peer', 'etcd/healthcheck-client'];
    const everything = (...names: readonly string[]) => readInventory(layoutOf(without(t, ...names)));
    assert.equal(lacksStackedEtcd(everything(...ofEtcd)), true);
    assert.equal(lacksStackedEtcd(everything('etcd/server', 'etcd/peer')), false);
    // The key of its CA.
    assert.equal(lacksStackedEtcd(everything(...etcds)), false);
    const tree = without(t, ...etcds);
    rmSync(join(tree.certDir, 'etcd/ca.key'));
    const external = readInventory(layoutOf(tree));
    assert.equal(lacksStackedEtcd(external), true);
    const shown = managedOn('control-plane', 'elsewhere', external);
    assert.deepEqual(
      shown.certificates.filter(({ spec }) => spec.stackedEtcd).map(({ spec }) => spec.name),
      ['apiserver-etcd-client'],
    );
    assert.ok(shown.authorities.some(({ spec }) => spec.name === 'etcd-ca'));
    // As kubeadm does where the configuration says so.
    const configured = managedOn('control-plane', 'external', external);
    assert.ok([...configured.certificates, ...configured.authorities].every(({ spec }) => !spec.stackedEtcd));
  });
});
