import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '../../../src/filesystem/regular-file.ts';
import { moveAside } from '../../../src/storage/aside.ts';
import { stateFor } from '../../support/state.ts';
import { pod, writeManifest, writeManifests } from '../../support/manifests.ts';
import { samplesOf } from '../../support/metrics.ts';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { quickTree } from '../../support/node.ts';
import {
  changes,
  copyFixture,
  snapshot,
  temporaryDirectory,
  type Cleanup,
  type Tree,
} from '../../support/tree.ts';

const at = ['--at', '2027-01-01T00:00:00Z'];
const kubeconfigs = ['admin.conf', 'controller-manager.conf', 'scheduler.conf', 'super-admin.conf'];

/** Rows, the CAs among them. */
function namesIn(table: string): string[] {
  return table
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('CERTIFICATE'))
    .map((line) => (line.startsWith('!') ? line.trim() : (line.split(' ')[0] ?? '')));
}

/** A node with a cert dir in which nothing is. */
function unmounted(t: Cleanup): Tree {
  const directory = temporaryDirectory(t);
  const kubeconfigDir = join(directory, 'etc/kubernetes');
  const certDir = join(kubeconfigDir, 'pki');
  mkdirSync(certDir, { recursive: true });
  return { directory, kubeconfigDir, certDir };
}

function worker(t: Cleanup): Tree {
  const tree = quickTree(t);
  const ca = readFileSync(join(tree.certDir, 'ca.crt'));
  rmSync(tree.kubeconfigDir, { recursive: true });
  mkdirSync(tree.certDir, { recursive: true });
  writeFileSync(join(tree.certDir, 'ca.crt'), ca);
  writeFileSync(join(tree.kubeconfigDir, 'kubelet.conf'), '');
  return tree;
}

/** As kubeadm's guide to highly available clusters makes it. */
function etcdHost(t: Cleanup): Tree {
  const tree = quickTree(t);
  for (const name of kubeconfigs) rmSync(join(tree.kubeconfigDir, name), { force: true });
  for (const name of [
    'ca',
    'front-proxy-ca',
    'front-proxy-client',
    'apiserver',
    'apiserver-kubelet-client',
    'sa',
  ]) {
    for (const extension of ['crt', 'key', 'pub']) {
      rmSync(join(tree.certDir, `${name}.${extension}`), { force: true });
    }
  }
  return tree;
}

describe('a directory with nothing in it that kubeadm knows', () => {
  test('is an error of every command that looks at certificates, and nothing is written', async (t) => {
    const tree = unmounted(t);
    const before = snapshot(tree.directory);
    const stderr =
      `error: ${tree.certDir}: holds nothing that kubeadm knows\n` +
      'hint: it is empty: mount its disk, or name the directory with --cert-dir\n';
    for (const args of [
      ['check-expiration'],
      ['check-expiration', '-o', 'json'],
      ['check-expiration', '--within', '30d', '--quiet'],
      ['renew', 'all', '--quiet'],
      ['renew', 'all', '--within', '30d', '--quiet'],
      ['renew', 'apiserver'],
      ['renew', 'all', '--dry-run'],
      ['renew', 'all', '--csr-only'],
      ['renew', 'all', '--use-api'],
    ]) {
      const outcome = await certs(tree, ...args);
      assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [1, '', stderr], args.join(' '));
    }
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    const plugin = await certs(tree, 'check-expiration', '-o', 'nagios');
    assert.equal(plugin.code, 3);
    assert.match(plugin.stdout, /^KUBEPKI UNKNOWN - \S+pki: holds nothing that kubeadm knows\n$/);
  });

  test('is a tree that cannot be read among several', async (t) => {
    const [good, bad] = [quickTree(t), unmounted(t)];
    const root = ['--rootfs', good.directory, bad.directory];
    const outcome = await kubepki(['certs', 'check-expiration', ...at, ...root]);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stdout, new RegExp(`^${bad.directory} +!INVALID! *$`, 'm'));
    assert.match(outcome.stdout, new RegExp(`^${good.directory} +apiserver `, 'm'));
    const within = ['certs', 'check-expiration', ...at, '--within', '1d', ...root];
    assert.equal((await kubepki(within)).code, 5);
  });

  test('its metrics say that nothing was read, whatever they said before', async (t) => {
    const tree = quickTree(t);
    const flag = ['--textfile', '/kubepki.prom'];
    const read = () => samplesOf(readFileSync(join(tree.directory, 'kubepki.prom'), 'utf8'));
    const errors = () => read().find(({ name }) => name === 'x509_read_errors')?.value;
    assert.equal((await certs(tree, 'check-expiration', ...at, ...flag)).code, 0);
    assert.ok(read().some(({ name }) => name === 'x509_cert_error'));
    rmSync(tree.kubeconfigDir, { recursive: true });
    // First the directory is gone, then it is there again, and empty.
    for (const command of ['check-expiration', 'check-expiration', 'renew']) {
      assert.equal((await certs(tree, command, ...flag)).code, 1);
      assert.equal(errors(), 1);
      assert.ok(!read().some(({ name }) => name === 'x509_cert_error'));
      mkdirSync(tree.certDir, { recursive: true });
    }
  });

  test('/etc/kubernetes as the cert dir, and names of k3s: the hint tells', async (t) => {
    const tree = quickTree(t);
    const wrong = await certs(tree, 'renew', 'all', '--quiet', '--cert-dir', '/etc/kubernetes');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /^hint: did you mean --cert-dir \/etc\/kubernetes\/pki\?$/m);
    const k3s = unmounted(t);
    for (const name of ['server-ca.crt', 'client-ca.crt']) writeFileSync(join(k3s.certDir, name), '');
    const outcome = await certs(k3s, 'check-expiration');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^hint: this looks like k3s or RKE2/m);
  });

  test('rollback brings back what was lost with all the rest', async (t) => {
    const tree = quickTree(t);
    assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
    for (const name of readdirSync(tree.certDir)) {
      if (name !== '.kubepki') rmSync(join(tree.certDir, name), { recursive: true });
    }
    const outcome = await certs(tree, 'rollback', '--force');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.ok(readFileSync(join(tree.certDir, 'apiserver.crt')).length > 0);
  });
});

test('a worker is told apart, exit 1', async (t) => {
  const tree = worker(t);
  for (const args of [['check-expiration'], ['renew', 'all', '--quiet']]) {
    const outcome = await certs(tree, ...args);
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.equal(
      outcome.stderr,
      `error: ${tree.certDir}: is a worker node's: kubeadm manages no certificate there\n` +
        'hint: the kubelet renews its own certificate; look at a control-plane node\n',
    );
  }
});

test("a host of an external etcd has etcd's rows, nothing is missing, and all is renewed", async (t) => {
  const tree = etcdHost(t);
  const etcds = ['apiserver-etcd-client', 'etcd-healthcheck-client', 'etcd-peer', 'etcd-server'];
  const shown = await certs(tree, 'check-expiration', ...at, '--within', '1d');
  assert.deepEqual([shown.code, shown.stderr], [0, '']);
  assert.deepEqual(namesIn(shown.stdout), [...etcds, 'etcd-ca']);
  const renewed = await certs(tree, 'renew', 'all');
  assert.equal(renewed.code, 0);
  assert.equal(renewed.stdout.match(/ renewed$/gm)?.length, etcds.length);
  assert.doesNotMatch(renewed.stdout, /MISSING/);
  // On all hosts but one the key of the CA is not there.
  rmSync(join(tree.certDir, 'etcd/ca.key'));
  const other = await certs(tree, 'check-expiration', '--within', '1d');
  assert.deepEqual([other.code, other.stderr, namesIn(other.stdout)], [0, '', [...etcds, 'etcd-ca']]);
});

describe('without a configuration', () => {
  const endpoints = '--etcd-servers=https://192.0.2.30:2379';

  /** A control plane whose etcd is elsewhere. */
  function external(t: Cleanup): Tree {
    const tree = copyFixture(t, 'external-etcd');
    const probe = { host: '192.0.2.10', scheme: 'HTTPS' };
    writeManifest(
      tree,
      'kube-apiserver',
      pod('kube-apiserver', ['--advertise-address=192.0.2.10', endpoints], probe),
    );
    return tree;
  }

  test("the API server's manifest tells of an external etcd: as with the configuration, nothing is missing", async (t) => {
    const tree = external(t);
    const configured = await certs(tree, 'check-expiration', ...at, '--config', '/kubeadm.yaml');
    const outcome = await certs(tree, 'check-expiration', ...at, '--within', '1d');
    assert.deepEqual(outcome, configured);
    const dryRun = await certs(tree, 'renew', 'all', '--dry-run');
    assert.equal(dryRun.code, 0);
    assert.doesNotMatch(dryRun.stdout, /MISSING|etcd/);
  });

  test('without a manifest, and with an etcd.yaml, it is a stacked one as with kubeadm', async (t) => {
    const tree = external(t);
    const missing = async (): Promise<number> => {
      const { stdout } = await certs(tree, 'check-expiration', ...at);
      return namesIn(stdout).filter((name) => name.startsWith('!MISSING!')).length;
    };
    assert.equal(await missing(), 0);
    writeManifests(tree);
    assert.equal(await missing(), 5);
    rmSync(join(tree.kubeconfigDir, 'manifests'), { recursive: true });
    assert.equal(await missing(), 5);
  });

  test('a manifest that is away for a restart is looked for where it waits', async (t) => {
    const tree = external(t);
    const state = stateFor(tree.certDir, { root: tree.directory });
    const takeAway = (name: string): void => {
      const path = join(tree.kubeconfigDir, `manifests/${name}.yaml`);
      moveAside(state, { path, sha256: sha256(readFileSync(path)) }, 'kubepki restart');
    };
    takeAway('kube-apiserver');
    const { stdout, code } = await certs(tree, 'check-expiration', ...at);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /MISSING/);
    rmSync(join(tree.certDir, '.kubepki'), { recursive: true });
    writeManifest(tree, 'etcd', pod('etcd', [], { host: '127.0.0.1', scheme: 'HTTP' }));
    writeManifest(
      tree,
      'kube-apiserver',
      pod('kube-apiserver', [endpoints], { host: '192.0.2.10', scheme: 'HTTPS' }),
    );
    takeAway('etcd');
    assert.match((await certs(tree, 'check-expiration', ...at)).stdout, /^!MISSING! etcd-server/m);
  });
});
