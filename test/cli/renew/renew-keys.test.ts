import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { leafFile, leafFiles, type LeafFiles } from '../../support/certificates/certificates.ts';
import { renewableRoles } from '../../support/roles.ts';
import { copyFixture, fileChanges, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

// node's own X.509 reads here; what it says is compared with openssl's and certtool's words in test/judges.
function x509(leaf: LeafFiles): X509Certificate {
  return new X509Certificate(readFileSync(leaf.certificate));
}

function algorithm(leaf: LeafFiles): string {
  const { asymmetricKeyType, asymmetricKeyDetails } = x509(leaf).publicKey;
  return `${String(asymmetricKeyType)} ${String(asymmetricKeyDetails?.modulusLength ?? asymmetricKeyDetails?.namedCurve)}`;
}

function leavesOf(t: TestContext, tree: Tree): readonly LeafFiles[] {
  return leafFiles(tree, join(temporaryDirectory(t), 'kubeconfigs'));
}

function privateKey(leaf: LeafFiles): KeyObject {
  return createPrivateKey(readFileSync(leaf.key));
}

/** One of each kind: a server's, one of a server and client, one in a kubeconfig. */
const some = ['apiserver', 'etcd-peer', 'admin.conf'];

async function renew(
  tree: Tree,
  names: readonly string[],
  ...args: readonly string[]
): ReturnType<typeof kubepki> {
  const outcome = await kubepki(['certs', 'renew', ...names, '--rootfs', tree.directory, ...args]);
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

describe('the new key', () => {
  for (const role of renewableRoles) {
    test(`is of the old kind in ${role}, and in kubeadm's PEM form`, async (t) => {
      const [original, tree] = [copyFixture(t, role), copyFixture(t, role)];
      await renew(tree, some);
      const [leaves, old] = [leavesOf(t, tree), leavesOf(t, original)];
      for (const name of some) {
        const [after, before] = [leafFile(leaves, name), leafFile(old, name)];
        assert.notEqual(x509(after).serialNumber, x509(before).serialNumber, name);
        assert.equal(algorithm(after), algorithm(before), name);
        const form = algorithm(after).startsWith('rsa') ? 'RSA' : 'EC';
        assert.ok(readFileSync(after.key, 'utf8').startsWith(`-----BEGIN ${form} PRIVATE KEY-----\n`), name);
      }
    });
  }

  const named: readonly (readonly [string, string])[] = [
    ['encryptionAlgorithm: ECDSA-P256', 'ec prime256v1'],
    ['encryptionAlgorithm: ECDSA-P384', 'ec secp384r1'],
    ['encryptionAlgorithm: RSA-3072', 'rsa 3072'],
    ['featureGates: {PublicKeysECDSA: false}', 'rsa 2048'],
  ];
  for (const [field, expected] of named) {
    test(`is ${expected} where --config says ${field}`, async (t) => {
      const tree = copyFixture(t, 'rsa-ca-ecdsa-leaves');
      writeFileSync(
        join(tree.directory, 'kubeadm.yaml'),
        `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\n${field}\n`,
      );
      await renew(tree, some, '--config', '/kubeadm.yaml');
      const leaves = leavesOf(t, tree);
      for (const name of some) assert.equal(algorithm(leafFile(leaves, name)), expected, name);
    });
  }
});

describe('the validity', () => {
  const hour = 3_600_000;

  test('is what --config says, with a warning when it is longer than kubeadm recommends', async (t) => {
    const tree = copyFixture(t, 'super-admin');
    const began = Date.now();
    const { stderr } = await renew(tree, some, '--config', '/kubeadm.yaml');
    assert.match(
      stderr,
      /^warning: .*kubeadm\.yaml: certificateValidityPeriod: the value 17520h0m0s is more than the recommended default/,
    );
    const leaves = leavesOf(t, tree);
    for (const name of some) {
      const leaf = leafFile(leaves, name);
      const notAfter = Date.parse(x509(leaf).validTo);
      assert.ok(Math.abs(notAfter - began - 17520 * hour) < hour, leaf.name);
    }
  });

  test('never goes beyond the CA: it is cut, and that is said once for each CA', async (t) => {
    const tree = copyFixture(t, 'ca-expiring');
    writeFileSync(
      join(tree.directory, 'kubeadm.yaml'),
      // Beyond every CA of this fixture, whenever the test runs.
      `apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncertificateValidityPeriod: 262800h\n`,
    );
    const { stderr } = await kubepki([
      'certs',
      'renew',
      'front-proxy-client',
      'etcd-server',
      'etcd-peer',
      '--rootfs',
      tree.directory,
      '--config',
      '/kubeadm.yaml',
    ]);
    const said = stderr.replaceAll(tree.directory, 'ROOT').split('\n');
    assert.ok(
      said.includes(
        'warning: ROOT/etc/kubernetes/pki/front-proxy-ca.crt: the CA ends on 2049-12-31T23:59:59Z, and with it: front-proxy-client',
      ),
      stderr,
    );
    assert.ok(
      said.includes(
        'warning: ROOT/etc/kubernetes/pki/etcd/ca.crt: the CA ends on 2050-06-01T00:00:00Z, and with it: etcd-peer, etcd-server',
      ),
      stderr,
    );
    const leaves = leavesOf(t, tree);
    assert.equal(x509(leafFile(leaves, 'front-proxy-client')).validTo, 'Dec 31 23:59:59 2049 GMT');
    assert.equal(x509(leafFile(leaves, 'etcd-peer')).validTo, 'Jun  1 00:00:00 2050 GMT');
  });

  test('begins five minutes ago, but not before the CA', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-ecdsa');
    const began = Date.now();
    await renew(tree, ['all']);
    for (const leaf of leavesOf(t, tree)) {
      const from = Date.parse(x509(leaf).validFrom);
      const ca = Date.parse(new X509Certificate(readFileSync(leaf.ca)).validFrom);
      assert.ok(from >= ca && from >= began - 301_000 && from <= Date.now() - 299_000, leaf.name);
    }
  });
});

describe('chains and bundles', () => {
  const blocks = (path: string): string[] =>
    readFileSync(path, 'utf8').match(/-----BEGIN[^]*?-----END [A-Z ]+-----\n/g) ?? [];

  test('an intermediate that issued the new leaf stays behind it', async (t) => {
    const tree = copyFixture(t, 'leaf-chain');
    const before = blocks(join(tree.certDir, 'apiserver.crt'));
    await renew(tree, ['apiserver']);
    const after = blocks(join(tree.certDir, 'apiserver.crt'));
    assert.equal(after.length, 2);
    assert.notEqual(after[0], before[0]);
    assert.equal(after[1], before[1]);
  });

  test('of a bundle, the CA that ca.key belongs to signs, and kubeconfigs trust the whole bundle', async (t) => {
    const tree = copyFixture(t, 'ca-bundle');
    await renew(tree, ['apiserver', 'apiserver-kubelet-client', 'admin.conf']);
    const bundle = blocks(join(tree.certDir, 'ca.crt'));
    const [next, inUse] = bundle.map((pem) => new X509Certificate(pem));
    assert.ok(next && inUse);
    for (const name of ['apiserver', 'apiserver-kubelet-client', 'admin.conf']) {
      assert.ok(x509(leafFile(leavesOf(t, tree), name)).verify(inUse.publicKey), name);
    }
    const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
    const embedded = /certificate-authority-data: (\S+)/.exec(admin)?.[1] ?? '';
    assert.equal(Buffer.from(embedded, 'base64').toString(), bundle.join(''));
  });
});

describe('a user that names files', () => {
  test('has those renewed, relative to the kubeconfig or below the rootfs; the kubeconfig stays as it is', async (t) => {
    const tree = copyFixture(t, 'kubeconfig-files');
    const before = snapshot(tree.directory);
    const outcome = await kubepki([
      'certs',
      'renew',
      'admin.conf',
      'controller-manager.conf',
      '--rootfs',
      tree.directory,
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory), { inodes: true }), [
      // The key is inside this one.
      '~ etc/kubernetes/controller-manager.conf content inode',
      '~ etc/kubernetes/users/admin.crt content inode',
      '~ etc/kubernetes/users/admin.key content inode',
      '~ var/lib/users/kcm.crt content inode',
    ]);
    for (const leaf of leavesOf(t, tree)) {
      assert.ok(x509(leaf).checkPrivateKey(privateKey(leaf)), leaf.name);
    }
  });
});

describe('a kubeconfig by hand', () => {
  test('keeps every byte but the values', async (t) => {
    const tree = copyFixture(t, 'kubeconfig-rich');
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const masked = (): string =>
      readFileSync(path, 'utf8').replace(/(client-(?:key|certificate)-data: ['"])[A-Za-z0-9+/=]+/g, '$1…');
    const before = masked();
    assert.match(before, /client-key-data: "…" {3}# key first/);
    await renew(tree, ['admin.conf']);
    assert.equal(masked(), before);
  });
});
