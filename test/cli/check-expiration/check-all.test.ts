import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { createServer } from 'node:tls';
import { parse } from 'yaml';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import type { Outcome } from '../../support/kubepki.ts';
import { samplesOf } from '../../support/metrics.ts';
import { certsLine, terminal } from '../../support/screen.ts';
import { edit, moveEtcdElsewhere, put, verifiedNode } from '../../support/planners/verified-node.ts';
import type { Tree } from '../../support/tree.ts';

const now = '2026-12-01T00:00:00Z';
/** 27 days before the end: not late for the kubelet, which has rotated yet. */
const nearTheEnd = '2027-11-01T20:00:00Z';
const rotated = 'var/lib/kubelet/pki/kubelet-client-2026-11-28-20-50-00.pem';

function check(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  const at = args.includes('--at') ? [] : ['--at', now];
  return certs(tree, 'check-expiration', ...at, ...args);
}

/** A node with something of each kind. */
function richNode(t: TestContext): Tree {
  const tree = verifiedNode(t);
  moveEtcdElsewhere(tree);
  put(tree, 'root/.kube/config', readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8'));
  const bundle = ['ca.crt', 'front-proxy-ca.crt'].map((name) =>
    readFileSync(join(tree.certDir, name), 'utf8'),
  );
  writeFileSync(join(tree.certDir, 'ca.crt'), bundle.join(''));
  return tree;
}

const names = ['apiserver-etcd-client', 'kubelet-client', '/root/.kube/config', 'ca #2'];

interface Document {
  readonly otherCertificates?: readonly Readonly<Record<string, unknown>>[];
  readonly report?: object;
}

/** Serves the API server's certificate of the node. @returns HOST:PORT */
async function serve(t: TestContext, { certDir }: Tree): Promise<string> {
  const pem = (name: string): Buffer => readFileSync(join(certDir, name));
  const server = createServer({ cert: pem('apiserver.crt'), key: pem('apiserver.key') });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

describe('check-expiration --all', () => {
  test("has a table of its own behind kubeadm's two, which stay byte for byte", async (t) => {
    const tree = richNode(t);
    const [before, all] = [await check(tree), await check(tree, '--all')];
    assert.deepEqual([all.code, all.stderr], [before.code, before.stderr]);
    assert.ok(all.stdout.startsWith(`${before.stdout}\n`), all.stdout);
    const lines = all.stdout.slice(before.stdout.length + 1).split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(/ {2,}/)),
      [
        ['OTHER CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'FILE'],
        ...[
          ['apiserver-etcd-client', 'etc/etcd/client.crt'],
          ['kubelet-client', 'var/lib/kubelet/pki/kubelet-client-current.pem'],
          ['/root/.kube/config', 'root/.kube/config'],
        ].map(([name = '', file = '']) => [
          name,
          'Nov 28, 2027 20:49 UTC',
          '362d',
          join(tree.directory, file),
        ]),
        ['ca #2', 'Nov 25, 2036 20:49 UTC', '9y', join(tree.certDir, 'ca.crt')],
        [''],
      ],
    );
  });

  test('is a list of its own in the documents, beside the fields of kubeadm', async (t) => {
    const tree = richNode(t);
    const { stdout: json } = await check(tree, '--all', '-o', 'json');
    const { otherCertificates, report, ...kubeadms } = JSON.parse(json) as Document;
    assert.ok(report);
    assert.equal(`${JSON.stringify(kubeadms, undefined, 4)}\n`, (await check(tree, '-o', 'json')).stdout);
    assert.deepEqual(
      otherCertificates?.map(({ name }) => name),
      names,
    );
    assert.deepEqual(otherCertificates[1], {
      name: 'kubelet-client',
      kind: 'kubelet-client',
      file: join(tree.directory, 'var/lib/kubelet/pki/kubelet-client-current.pem'),
      status: 'present',
      expirationDate: '2027-11-28T20:49:58Z',
      residualTime: 31_351_798,
      renewsItself: true,
      faults: [],
    });
    const { stdout: yaml } = await check(tree, '--all', '-o', 'yaml');
    assert.deepEqual(parse(yaml), JSON.parse(json));
    const template = 'jsonpath={.otherCertificates[*].kind}';
    assert.equal(
      (await check(tree, '--all', '-o', template)).stdout,
      'etcd-client kubelet-client kubeconfig ca',
    );
  });

  test('is more samples in the metrics, and none twice', async (t) => {
    const tree = richNode(t);
    const before = samplesOf((await check(tree, '-o', 'prometheus')).stdout);
    const all = samplesOf((await check(tree, '--all', '-o', 'prometheus')).stdout);
    const keys = all.map(({ name, labels }) => JSON.stringify([name, labels]));
    assert.equal(new Set(keys).size, keys.length);
    for (const sample of before) assert.ok(keys.includes(JSON.stringify([sample.name, sample.labels])));
    const added = all.filter(
      ({ name, labels }) =>
        name === 'x509_cert_not_after' &&
        !before.some((one) => one.name === name && one.labels['name'] === labels['name']),
    );
    assert.deepEqual(
      added.map(({ labels: { name, filepath, embedded_key: user } }) => [name, filepath, user]),
      [
        ['apiserver-etcd-client', '/etc/etcd/client.crt', undefined],
        ['kubelet-client', '/var/lib/kubelet/pki/kubelet-client-current.pem', undefined],
        ['/root/.kube/config', '/root/.kube/config', 'kubernetes-admin'],
      ],
    );
  });

  test('is in the performance data, with the bounds of the kubelet', async (t) => {
    const { stdout, code } = await check(richNode(t), '--all', '-o', 'nagios');
    assert.equal(code, 0);
    assert.match(stdout, /^KUBEPKI OK - 13 certificates, /);
    assert.match(
      stdout,
      / 'kubelet-client'=31351798s;1576815:;604800: '\/root\/\.kube\/config'=31351798s;2592000:;604800: /,
    );
  });

  test('--within judges them: by the rule of the kubelet what the kubelet renews', async (t) => {
    const tree = verifiedNode(t);
    const within = ['--within', '30d', '--at', nearTheEnd] as const;
    const { code, stderr } = await check(tree, '--all', ...within);
    assert.equal(code, 4);
    assert.doesNotMatch(stderr, / kubelet-client /);
    edit(tree, 'var/lib/kubelet/config.yaml', (text) =>
      text.replace('rotateCertificates: true', 'rotateCertificates: false'),
    );
    assert.match((await check(tree, '--all', ...within)).stderr, / kubelet-client \(27d\)/);
    assert.doesNotMatch((await check(tree, ...within)).stderr, / kubelet-client /);
    unlinkSync(join(tree.directory, rotated));
    const gone = await check(tree, '--all', '--within', '30d');
    assert.deepEqual([gone.code, gone.stderr], [5, 'warning: kubelet-client is missing\n']);
    assert.equal((await check(tree, '--within', '30d')).code, 0);
  });

  test('one that cannot be read is a row that says so, with its reason', async (t) => {
    const tree = richNode(t);
    put(tree, rotated, 'nothing');
    const { stdout, stderr, code } = await check(tree, '--all');
    assert.equal(code, 1);
    assert.match(stdout, /^!INVALID! kubelet-client {2,}\S+\/kubelet-client-current\.pem$/m);
    assert.match(stdout, /^\/root\/\.kube\/config {2,}Nov 28, 2027/m);
    assert.match(stderr, /^error: \S+\/kubelet-client-current\.pem: is not PEM: no certificate found\n$/);
    assert.equal((await check(tree)).code, 0);
  });

  test('a kubeconfig that is named has a row, there or not', async (t) => {
    const tree = verifiedNode(t);
    put(tree, 'srv/ci.conf', readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8'));
    const { stdout, code } = await check(
      tree,
      '--all',
      '--kubeconfig-file',
      '/srv/ci.conf',
      '/srv/gone.conf',
    );
    assert.equal(code, 0);
    assert.match(stdout, /^\/srv\/ci\.conf {2,}Nov 28, 2027/m);
    assert.match(stdout, /^!MISSING! \/srv\/gone\.conf {2,}\S+\/srv\/gone\.conf$/m);
  });

  test('an endpoint has a row, whether it answers or not', async (t) => {
    const tree = verifiedNode(t);
    const address = await serve(t, tree);
    const well = await check(tree, '--all', '--endpoint', address, '--within', '30d');
    assert.deepEqual([well.code, well.stderr], [0, '']);
    assert.match(well.stdout, new RegExp(`^${address} {2,}Nov 28, 2027 20:49 UTC {2,}362d$`, 'm'));
    const silent = await check(tree, '--all', '--endpoint', '127.0.0.1:1');
    assert.equal(silent.code, 1);
    assert.match(silent.stdout, /^!INVALID! 127\.0\.0\.1:1$/m);
    assert.equal(silent.stderr, 'error: 127.0.0.1:1: shows no certificate: connection refused\n');
  });

  test('of several trees each has its rows', async (t) => {
    const trees = [richNode(t), verifiedNode(t)];
    const roots = trees.map(({ directory }) => directory);
    const line = ['certs', 'check-expiration', '--at', now, '--rootfs', ...roots];
    const [before, all] = [await kubepki(line), await kubepki([...line, '--all'])];
    assert.deepEqual([all.code, all.stderr], [before.code, before.stderr]);
    const added = all.stdout.split('\n').filter((one) => !before.stdout.includes(one));
    const [rich = '', plain = ''] = roots;
    assert.deepEqual(
      added.map((one) => one.split(/ {2,}/).slice(0, 2)),
      [...names.map((name) => [rich, name]), [plain, 'kubelet-client']],
    );
    const { stdout: json } = await kubepki([...line, '--all', '-o', 'json']);
    const { items } = JSON.parse(json) as { items: readonly { readonly expiration: Document }[] };
    assert.deepEqual(
      items.map(({ expiration }) => expiration.otherCertificates?.length),
      [4, 1],
    );
    assert.match((await kubepki([...line, '--all', '-o', 'nagios'])).stdout, /: kubelet-client'=/);
    const metrics = samplesOf((await kubepki([...line, '--all', '-o', 'prometheus'])).stdout);
    const kubelets = metrics.filter(
      ({ name, labels }) => name === 'x509_cert_error' && labels['name'] === 'kubelet-client',
    );
    assert.deepEqual(
      kubelets.map(({ labels }) => labels['node']),
      roots,
    );
  });

  test('on a terminal is in the table', async (t) => {
    const tree = richNode(t);
    const line = ['check-expiration', '--all', '--at', now, '--no-color', '--rootfs', tree.directory];
    const screen = terminal(t, certsLine(...line));
    if (screen === undefined) return;
    const shown = await screen.shows(/exit=0/);
    assert.match(shown, /^.*OTHER CERTIFICATE +.*EXPIRES +.*RESIDUAL TIME/m);
    assert.match(shown, /^\/root\/\.kube\/config +Nov 28, 2027 20:49 UTC +362d/m);
    assert.match(shown, /^13 certificates; next: /m);
  });

  test('a name that would draw on the terminal does not, whatever the form', async (t) => {
    const tree = verifiedNode(t);
    put(tree, 'srv/\u001b[31m\u202e.conf', readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8'));
    for (const output of ['text', 'json', 'yaml', 'prometheus', 'nagios']) {
      const named = ['--kubeconfig-file', '/srv/\u001b[31m\u202e.conf', '/srv/\u202egone.conf'];
      const { stdout, stderr } = await check(tree, '--all', ...named, '-o', output);
      assert.ok(stdout.includes('.conf'), output);
      assert.ok(!['\u001b', '\u202e'].some((one) => (stdout + stderr).includes(one)), output);
    }
    const { stderr } = await check(
      tree,
      '--all',
      '--within',
      '30d',
      '--kubeconfig-file',
      '/srv/\u202egone.conf',
    );
    assert.doesNotMatch(stderr, /\u202e/);
  });

  test('what goes with it goes with nothing else', async (t) => {
    const tree = verifiedNode(t);
    for (const flag of [
      ['--endpoint', '127.0.0.1:1'],
      ['--kubeconfig-file', '/x'],
    ] as const) {
      const { code, stderr } = await check(tree, ...flag);
      assert.deepEqual([code, stderr], [1, `error: ${flag[0]} goes with --all\n`]);
    }
    const several = await kubepki([
      ...['certs', 'check-expiration', '--all', '--endpoint', '127.0.0.1:1', '--at', now],
      ...['--rootfs', tree.directory, verifiedNode(t).directory],
    ]);
    assert.equal(several.code, 1);
    assert.match(several.stderr, /^error: --endpoint does not go with several trees\n/);
  });
});
