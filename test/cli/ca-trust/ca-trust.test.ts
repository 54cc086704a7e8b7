/** `ca trust`: what `ca renew` has made on one node, taken over by the others. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { changeDocument, entry, outcomes } from '../../support/change-document.ts';
import { makeCa } from '../../support/certificates/resigned.ts';
import { caInProcess as ca, doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { fileChanges, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

/** A control plane whose CAs were renewed, and the nodes that still have the old ones, each with the file that the hint makes. */
async function cluster(
  t: TestContext,
  name = 'ca',
): Promise<{ readonly first: Tree; readonly other: Tree; readonly worker: Tree }> {
  const [first, other] = [quickTree(t), quickTree(t)];
  const worker = workerOf(t, other);
  const { code, stderr } = await ca(first, 'renew', name, '--validity', '60y');
  assert.equal(code, 0, stderr);
  const files = name === 'all' ? ['ca', 'etcd/ca', 'front-proxy-ca'] : ['ca'];
  const pem = files.map((file) => readFileSync(join(first.certDir, `${file}.crt`), 'utf8')).join('');
  for (const { directory } of [other, worker]) writeFileSync(join(directory, 'renewed.pem'), pem);
  return { first, other, worker };
}

/** A ca.crt and a kubelet.conf, which holds the CA. */
function workerOf(t: TestContext, { certDir, kubeconfigDir }: Tree): Tree {
  const directory = temporaryDirectory(t);
  const worker = {
    directory,
    kubeconfigDir: join(directory, 'etc/kubernetes'),
    certDir: join(directory, 'etc/kubernetes/pki'),
  };
  mkdirSync(worker.certDir, { recursive: true });
  for (const path of [directory, join(directory, 'etc'), worker.kubeconfigDir, worker.certDir]) {
    chmodSync(path, 0o755);
  }
  copyFileSync(join(certDir, 'ca.crt'), join(worker.certDir, 'ca.crt'));
  copyFileSync(join(kubeconfigDir, 'admin.conf'), join(worker.kubeconfigDir, 'kubelet.conf'));
  chmodSync(join(worker.kubeconfigDir, 'kubelet.conf'), 0o600);
  return worker;
}

const embedded = (path: string): Buffer =>
  Buffer.from(/certificate-authority-data: (\S+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? '', 'base64');

describe('on a worker', () => {
  test('its two files get the renewed CA, and the kubelet is to be restarted', async (t) => {
    const { first, worker } = await cluster(t);
    const before = snapshot(worker.directory);
    const { code, stdout, stderr } = await ca(worker, 'trust', '/renewed.pem');
    assert.equal(code, 0, stderr);
    assert.deepEqual(fileChanges(before, snapshot(worker.directory)), [
      '~ etc/kubernetes/kubelet.conf content',
      '~ etc/kubernetes/pki/ca.crt content',
    ]);
    const next = readFileSync(join(first.certDir, 'ca.crt'));
    assert.ok(readFileSync(join(worker.certDir, 'ca.crt')).equals(next));
    assert.ok(embedded(join(worker.kubeconfigDir, 'kubelet.conf')).equals(next));
    assert.match(
      stdout,
      /^self-signed Kubernetes CA .* replaced by its renewed certificate, ends \w{3} \d\d, 2\d{3} /,
    );
    assert.match(
      stderr,
      /^note: restart the kubelet to use the renewed CA\nhint: systemctl restart kubelet$/m,
    );
    assert.match(stderr, /^note: until 2056-\S+Z the old certificate serves as well$/m);
    assert.doesNotMatch(stderr, /kube-controller-manager/);
    assert.match(stderr, /; backup \S+$/m);
  });

  test('a second time there is nothing to do', async (t) => {
    const { worker } = await cluster(t);
    await ca(worker, 'trust', '/renewed.pem');
    const before = snapshot(worker.directory);
    const { code, stdout, stderr } = await ca(worker, 'trust', '/renewed.pem');
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^self-signed Kubernetes CA .* is that of \S+renewed\.pem already, ends /);
    assert.deepEqual(fileChanges(before, snapshot(worker.directory)), []);
    const again = await ca(worker, 'trust', '/renewed.pem', '-o', 'json');
    const document = changeDocument(again.stdout);
    assert.deepEqual([outcomes(document), document.backup], [['ca unchanged'], null]);
  });

  test('with --dry-run nothing is changed, and rollback takes it back', async (t) => {
    const { worker } = await cluster(t);
    const before = snapshot(worker.directory);
    const { code, stdout } = await ca(worker, 'trust', '/renewed.pem', '--dry-run', '-o', 'json');
    const document = changeDocument(stdout);
    assert.deepEqual([code, outcomes(document), document.restart], [0, ['ca installed'], []]);
    assert.equal(entry(document, 'ca').files.length, 2);
    assert.deepEqual(fileChanges(before, snapshot(worker.directory)), []);
    assert.equal(existsSync(join(worker.certDir, '.kubepki')), false);
    await ca(worker, 'trust', '/renewed.pem');
    await done(worker, 'rollback');
    assert.deepEqual(fileChanges(before, snapshot(worker.directory)), []);
    assert.match((await done(worker, 'history')).stdout, /kubepki ca trust /);
  });
});

describe('on another control plane', () => {
  test('all three CAs come in one file, and every leaf verifies by them', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const { first, other } = await cluster(t, 'all');
    const { code, stderr } = await ca(other, 'trust', '/renewed.pem');
    assert.equal(code, 0, stderr);
    for (const [caFile, leaf] of [
      ['ca', 'apiserver'],
      ['ca', 'apiserver-kubelet-client'],
      ['etcd/ca', 'etcd/server'],
      ['etcd/ca', 'apiserver-etcd-client'],
      ['front-proxy-ca', 'front-proxy-client'],
    ] as const) {
      const at = (tree: Tree, name: string): string => join(tree.certDir, `${name}.crt`);
      assert.ok(readFileSync(at(first, caFile)).equals(readFileSync(at(other, caFile))), caFile);
      execFileSync(openssl, ['verify', '-x509_strict', '-CAfile', at(other, caFile), at(other, leaf)]);
    }
    const next = readFileSync(join(first.certDir, 'ca.crt'));
    for (const name of ['admin.conf', 'controller-manager.conf', 'scheduler.conf']) {
      assert.ok(embedded(join(other.kubeconfigDir, name)).equals(next), name);
    }
    assert.match(
      stderr,
      /^note: restart etcd, kube-apiserver, kube-controller-manager, kube-scheduler to use the new certificates$/m,
    );
  });

  test('the node on which it was renewed has it', async (t) => {
    const { first } = await cluster(t, 'all');
    const { code, stdout } = await ca(first, 'trust', '/etc/kubernetes/pki/ca.crt');
    assert.equal(code, 0);
    assert.match(stdout, / already, ends /);
  });
});

describe('what is refused, and changes nothing', () => {
  async function refused(tree: Tree, file: string, message: RegExp): Promise<void> {
    const before = snapshot(tree.directory);
    const { code, stdout, stderr } = await ca(tree, 'trust', file);
    assert.deepEqual([code, stdout], [1, ''], stderr);
    assert.match(stderr, message);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  }

  test('a CA that the node does not have, even beside one that it has', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const { worker } = await cluster(t, 'all');
    await refused(
      worker,
      '/renewed.pem',
      /^error: \S+renewed\.pem: holds "CN=etcd-ca" \(serial number \w+\), and this node has no CA/,
    );
    makeCa(openssl, join(worker.directory, 'other'), 'kubernetes');
    await refused(
      worker,
      '/other.crt',
      /^error: \S+other\.crt: holds "CN=kubernetes" .*\nhint: this only takes renewed certificates /,
    );
  });

  test('a certificate that ends earlier', async (t) => {
    const { first, worker } = await cluster(t);
    copyFileSync(join(worker.certDir, 'ca.crt'), join(first.directory, 'old.pem'));
    await refused(
      first,
      '/old.pem',
      /, no later than the one in \S+pki\/ca\.crt \(20\S+Z\)\nhint: take the file from the node/,
    );
  });

  test('a file that lacks a certificate it begins: cut off, or put together without a line end', async (t) => {
    const { other } = await cluster(t, 'all');
    const path = join(other.directory, 'renewed.pem');
    const pem = readFileSync(path, 'utf8');
    for (const [broken, what] of [
      [pem.slice(0, -40), /begins 3 certificates, of which 2 can be read$/m],
      [pem.replace('CERTIFICATE-----\n-----BEGIN', 'CERTIFICATE----------BEGIN'), /begins 3 .* which 1 can/],
    ] as const) {
      writeFileSync(path, broken);
      await refused(other, '/renewed.pem', what);
    }
  });

  test('a file that is not there, or holds no certificate', async (t) => {
    const tree = quickTree(t);
    await refused(tree, '/none.pem', /^error: \S+none\.pem: no such file\nhint: name the file/);
    await refused(
      tree,
      '/etc/kubernetes/pki/ca.key',
      /^error: \S+ca\.key: holds no certificate, but a PEM block EC PRIVATE KEY/,
    );
  });
});
