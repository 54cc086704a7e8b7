import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { changeNote } from '../../support/change-note.ts';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { shortenCa, treeEnding } from '../../support/certificates/short-lived.ts';
import { changes, fileChanges, snapshot, temporaryDirectory } from '../../support/tree.ts';

describe('renew all --within', () => {
  test('nothing is due: exit 0, nothing is written, not even a lock', async (t) => {
    const tree = treeEnding(t);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'all', '--within', '30d');
    assert.deepEqual(outcome, {
      stdout: 'nothing is due within 30d\n',
      stderr: '',
      code: 0,
      signal: undefined,
    });
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('renews what is due and leaves the rest', async (t) => {
    const tree = treeEnding(t, { apiserver: 20, 'scheduler.conf': 29 });
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, 'renew', 'all', '--within', '30d');
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/pki/apiserver.crt content',
      '~ etc/kubernetes/pki/apiserver.key content',
      '~ etc/kubernetes/scheduler.conf content',
    ]);
    assert.match(stdout, /^certificate for serving the Kubernetes API renewed$/m);
    assert.match(stdout, /^certificate the apiserver uses to access etcd is not due: it ends \w{3} \d\d, /m);
    assert.match(stdout, /\n\nDone renewing certificates\./);
    // Once more: it is not due any more.
    assert.equal((await done(tree, 'renew', 'all', '--within', '30d')).stdout, 'nothing is due within 30d\n');
  });

  test('named and not due: nothing to do, exit 0', async (t) => {
    const tree = treeEnding(t);
    const { stdout, stderr } = await done(tree, 'renew', 'apiserver', '--within', '4w');
    assert.deepEqual([stdout, stderr], ['nothing is due within 4w\n', '']);
  });

  test('a missing one stays what it was: all 0, named 6', async (t) => {
    const tree = treeEnding(t);
    rmSync(join(tree.certDir, 'apiserver.crt'));
    const all = await certs(tree, 'renew', 'all', '--within', '30d');
    assert.deepEqual(
      [all.code, all.stdout],
      [0, 'MISSING! certificate for serving the Kubernetes API\nnothing is due within 30d\n'],
    );
    assert.equal((await certs(tree, 'renew', 'apiserver', '--within', '30d')).code, 6);
  });

  test('an unreadable one refuses: it cannot be known that it is not due', async (t) => {
    const tree = treeEnding(t);
    writeFileSync(join(tree.certDir, 'apiserver.crt'), 'garbage\n');
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'all', '--within', '30d');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^error: .*apiserver\.crt: .*\(so apiserver cannot be renewed\)$/m);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });

  test('what is not due refuses nothing: a broken CA key of which no leaf is due is told of, exit 5', async (t) => {
    const tree = treeEnding(t, { apiserver: 20 });
    writeFileSync(join(tree.certDir, 'front-proxy-ca.key'), 'garbage\n');
    assert.equal((await certs(tree, 'renew', 'all')).code, 1);
    const outcome = await certs(tree, 'renew', 'all', '--within', '30d');
    // kubeadm's closing line names all components; this one what has changed.
    const said = changeNote(t, tree, { names: ['apiserver'], restart: ['kube-apiserver'] });
    const broken = `warning: ${join(tree.certDir, 'front-proxy-ca.key')}: is not PEM: no private key found\n`;
    assert.equal(outcome.code, 5);
    assert.ok(
      outcome.stderr.startsWith(`${broken}hint: `) && outcome.stderr.endsWith(`\n${said}`),
      outcome.stderr,
    );
    assert.equal(outcome.stderr.split('\n').length, 2 + said.split('\n').length);
    assert.match(outcome.stdout, /^certificate for serving the Kubernetes API renewed$/m);
    assert.match(outcome.stdout, /kube-controller-manager, kube-scheduler and etcd/);
  });

  test('--dry-run says what is due, and changes nothing', async (t) => {
    const tree = treeEnding(t, { apiserver: 20 });
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, 'renew', 'all', '--within', '30d', '--dry-run');
    assert.deepEqual(stdout.match(/^would change \S+/gm), ['would change apiserver:']);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  for (const text of ['0', '0d', '-1h', '30', 'month', '']) {
    test(`--within ${JSON.stringify(text)} is a usage error`, async (t) => {
      const outcome = await certs(quickTree(t), 'renew', 'all', '--within', text);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /--within/);
    });
  }

  test('certificates that are due on their first day: said', async (t) => {
    const tree = treeEnding(t);
    const outcome = await done(tree, 'renew', 'all', '--within', '30d', '--validity', '30d');
    assert.match(outcome.stderr, /^warning: --within 30d is as long as new certificates are valid/);
    assert.equal((await done(tree, 'renew', 'all', '--within', '30d', '--validity', '31d')).stderr, '');
  });
});

describe('a CA that ends', () => {
  test('what it lets last longer is renewed, and stays due: exit 4; the day after nothing changes', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = treeEnding(t, { apiserver: 10 });
    shortenCa(openssl, tree, 'ca', 20);
    const first = await certs(tree, 'renew', 'all', '--within', '30d');
    assert.equal(first.code, 4);
    assert.match(first.stderr, /^warning: \S+ca\.crt: the CA ends on .*, and with it: apiserver$/m);
    assert.match(first.stdout, /^certificate for serving the Kubernetes API renewed$/m);
    const before = snapshot(tree.directory);
    const second = await certs(tree, 'renew', 'all', '--within', '30d');
    assert.equal(second.code, 4);
    assert.match(
      second.stderr,
      /^warning: \S+ca\.crt: the CA ends on \S+Z: renew it first, as a renewal would not make these last longer: apiserver\nhint: renew it with its key, .*: kubepki ca renew ca --rootfs \S+\n$/,
    );
    assert.match(
      second.stdout,
      /^certificate for serving the Kubernetes API not renewed: it ends .*, and its CA no later$/m,
    );
    assert.doesNotMatch(second.stdout, /Done renewing|API renewed/);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    // Without --within it is renewed as ever.
    assert.match((await done(tree, 'renew', 'apiserver')).stdout, /API renewed/);
  });
});

describe('renew --within and what is not sound', () => {
  // Restored from the wrong backup: the leaf, or the CA, is another's.
  const foreignTree = (t: TestContext) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return undefined;
    const tree = treeEnding(t, { 'etcd-peer': 10 });
    const stranger = join(temporaryDirectory(t), 'ca');
    makeCa(openssl, stranger, 'kubernetes');
    return { openssl, tree, stranger };
  };

  for (const [what, end] of [
    ['not due', '20990101000000Z'],
    ['due', '20210101000000Z'],
  ] as const) {
    test(`signed by another CA, and ${what}: named, left alone, exit 5; by name with --force it is renewed`, async (t) => {
      const set = foreignTree(t);
      if (set === undefined) return;
      const { openssl, tree, stranger } = set;
      resign(openssl, join(tree.certDir, 'apiserver'), { by: stranger, start: '20200101000000Z', end });
      const before = snapshot(tree.directory);
      for (const flags of [['--dry-run'], []]) {
        const run = await certs(tree, 'renew', 'all', '--within', '30d', ...flags);
        assert.equal(run.code, 5, run.stderr);
        assert.match(
          run.stderr,
          /^warning: \S+\/pki\/apiserver\.crt: is not signed by the CA of \S+\/ca\.crt\nhint: .*renew apiserver /m,
        );
        assert.match(
          run.stdout,
          /^certificate for serving the Kubernetes API is left alone: it is not signed by the CA of /m,
        );
      }
      // The others that are due are renewed.
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
        '~ etc/kubernetes/pki/etcd/peer.crt content',
        '~ etc/kubernetes/pki/etcd/peer.key content',
      ]);
      const all = await certs(tree, 'renew', 'all', '--within', '30d', '--force');
      assert.equal(all.code, 5);
      const named = await certs(tree, 'renew', 'apiserver', '--within', '30d', '-o', 'json');
      assert.equal(named.code, 5);
      const [certificate] = (
        JSON.parse(named.stdout) as { certificates: { outcome: string; reason: string }[] }
      ).certificates;
      assert.equal(certificate?.outcome, 'unsound');
      assert.match(certificate.reason, /^is not signed by the CA of .*, so it is left alone$/);
      const forced = await certs(tree, 'renew', 'apiserver', '--within', '30d', '--force');
      assert.equal(forced.code, 0, forced.stderr);
      assert.match(forced.stdout, /^certificate for serving the Kubernetes API renewed$/m);
    });
  }

  test('what has lost its key and is not due is left to people, with the command; what is due gets a new one', async (t) => {
    const tree = treeEnding(t, { 'etcd-peer': 10 });
    for (const name of ['apiserver', 'etcd/peer']) rmSync(join(tree.certDir, `${name}.key`));
    const run = await certs(tree, 'renew', 'all', '--within', '30d');
    assert.equal(run.code, 5);
    assert.match(
      run.stderr,
      /apiserver\.key: no such file: the certificate apiserver has no key\nhint: .*renew apiserver /,
    );
    assert.match(run.stdout, /^certificate for etcd nodes to communicate with each other renewed$/m);
    assert.match(
      run.stdout,
      /^certificate for serving the Kubernetes API is left alone: it has no private key$/m,
    );
  });

  test('requests are made for what is sound only', async (t) => {
    const set = foreignTree(t);
    if (set === undefined) return;
    const { openssl, tree, stranger } = set;
    resign(openssl, join(tree.certDir, 'apiserver'), {
      by: stranger,
      start: '20200101000000Z',
      end: '20210101000000Z',
    });
    const run = await certs(tree, 'renew', 'all', '--csr-only', '--csr-dir', '/csr', '--within', '30d');
    assert.equal(run.code, 5);
    assert.match(run.stdout, /^certificate for etcd nodes to communicate with each other requested$/m);
    assert.match(run.stdout, /^certificate for serving the Kubernetes API is left alone: /m);
  });

  for (const [what, days, code] of [
    ['ends soon', 10, 4],
    ['is not due', 200, 0],
  ] as const) {
    test(`of an external CA, and ${what}: exit ${String(code)}`, async (t) => {
      const tree = treeEnding(t, { apiserver: days, 'etcd-peer': days });
      for (const name of ['ca', 'etcd/ca']) rmSync(join(tree.certDir, `${name}.key`));
      const run = await certs(tree, 'renew', 'all', '--within', '30d');
      assert.equal(run.code, code, run.stderr);
      assert.equal(
        run.stderr.match(/^hint: .*renew apiserver etcd-peer --csr-only --rootfs \S+$/gm)?.length ?? 0,
        code === 4 ? 1 : 0,
      );
      // Without a window each of them is, and the way is said once.
      const all = await certs(tree, 'renew', 'all');
      assert.equal(all.code, 0);
      assert.equal(all.stderr.match(/^hint: .*--csr-only/gm)?.length, 1, all.stderr);
    });
  }

  test('of an external CA, and expired: exit 5', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = treeEnding(t);
    const [apiserver, ca] = ['apiserver', 'ca'].map((name) => join(tree.certDir, name));
    resign(openssl, apiserver ?? '', { by: ca ?? '', start: '20200101000000Z', end: '20210101000000Z' });
    rmSync(`${ca ?? ''}.key`);
    assert.equal((await certs(tree, 'renew', 'all', '--within', '30d', '--quiet')).code, 5);
  });
});

describe('renew --csr-only --within', () => {
  test('nothing is due: no request, no directory', async (t) => {
    const tree = treeEnding(t, { apiserver: 20 });
    const before = snapshot(tree.directory);
    const idle = await done(tree, 'renew', 'all', '--csr-only', '--csr-dir', '/csr', '--within', '10d');
    assert.equal(idle.stdout, 'nothing is due within 10d\n');
    const dry = await done(tree, 'renew', 'all', '--csr-only', '--within', '10d', '--dry-run');
    assert.equal(dry.stdout, 'nothing is due within 10d\nnothing was changed (--dry-run)\n');
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    const due = await done(tree, 'renew', 'all', '--csr-only', '--csr-dir', '/csr', '--within', '30d');
    assert.match(due.stdout, /^certificate for serving the Kubernetes API requested$/m);
    assert.match(due.stdout, /^certificate the apiserver uses to access etcd is not due: it ends /m);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '+ csr 0700',
      '+ csr/apiserver.csr 0600',
      '+ csr/apiserver.key 0600',
    ]);
  });
});
