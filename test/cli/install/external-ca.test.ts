import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireSound } from '../../faults/invariants.ts';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import {
  externalTree,
  type ExternalTree,
  type SigningOptions,
} from '../../support/certificates/openssl-ca.ts';
import { changes, copyFixture, fileChanges, snapshot, temporaryDirectory } from '../../support/tree.ts';

const setting = (t: TestContext, role = 'ipv6'): ExternalTree | undefined => externalTree(t, role);

const there = ['--csr-only', '--csr-dir', '/csr'];

describe('renew --csr-only', () => {
  test('makes a key and a CSR each, 0600, in a directory of their own, and leaves every live file alone', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, csrDir } = set;
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, 'renew', ...there);
    const made = fileChanges(before, snapshot(tree.directory));
    assert.equal(made.filter((line) => /^\+ csr\/\S+\.(?:csr|key) 0600$/.test(line)).length, 20);
    assert.deepEqual(
      made.filter((line) => !line.startsWith('+ csr')),
      [],
    );
    assert.ok(
      readdirSync(csrDir).includes('etcd-server.csr') && readdirSync(csrDir).includes('admin.conf.key'),
    );
    assert.match(stdout, /Then run:\n {2}kubepki certs install --csr-dir \/csr --rootfs /);
  });

  test('in the cert dir a key in use stays, and the new one is beside it', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree } = set;
    const before = snapshot(tree.directory);
    const { stdout } = await done(tree, 'renew', 'apiserver', 'etcd-server', '--csr-only');
    assert.match(
      stdout,
      /apiserver\.key\.new \(the key in use stays\)\n .*apiserver\.crt\.new \(expected here\)/,
    );
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '+ etc/kubernetes/pki/apiserver.csr 0600',
      '+ etc/kubernetes/pki/apiserver.key.new 0600',
      '+ etc/kubernetes/pki/etcd-server.csr 0600',
      '+ etc/kubernetes/pki/etcd-server.key 0600',
    ]);
  });

  test('what waits is kept and reported; --force replaces it, with a backup', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, csrDir } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    const before = snapshot(csrDir);
    const again = await done(tree, 'renew', 'apiserver', ...there);
    assert.match(again.stdout, /^certificate for serving the Kubernetes API waits already, kept as it is\n/);
    assert.deepEqual(changes(before, snapshot(csrDir), { inodes: true }), []);
    set.ca.signAll(csrDir);
    await done(tree, 'renew', 'apiserver', ...there, '--force');
    // What had been signed for the old one is gone with it.
    assert.equal(changes(before, snapshot(csrDir)).length, 2);
    await done(tree, 'rollback');
    assert.deepEqual(changes(before, snapshot(csrDir)), ['+ apiserver.crt 0644']);
    await done(tree, 'install', '--csr-dir', '/csr');
  });

  test('a key without its request is not overwritten', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, csrDir } = set;
    mkdirSync(csrDir);
    writeFileSync(join(csrDir, 'apiserver.key'), 'somebody else needs this');
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'apiserver', ...there);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /apiserver\.key: .*\nhint: .*--force/);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe('install', () => {
  for (const role of ['ipv6', 'stacked-etcd-rsa']) {
    test(`there and back, and rolled back (${role})`, async (t) => {
      const set = setting(t, role);
      if (set === undefined) return;
      const { tree, ca, csrDir } = set;
      const original = snapshot(tree.directory);
      await done(tree, 'renew', 'all', ...there);
      const waiting = await certs(tree, 'install', '--csr-dir', '/csr');
      assert.equal(waiting.code, 6);
      assert.equal(waiting.stdout.match(/ not signed yet, expected as \S+\/csr\/\S+\.crt$/gm)?.length, 10);
      ca.signAll(csrDir);
      const installed = await done(tree, 'install', '--csr-dir', '/csr');
      assert.equal(installed.stdout.match(/ installed, ends /g)?.length, 10);
      assert.deepEqual(readdirSync(csrDir), []);
      requireSound(tree, join(temporaryDirectory(t), 'sound'));
      assert.match((await done(tree, 'check-expiration')).stdout, /^apiserver .*(?:299|300)d +ca +yes/m);
      const again = await certs(tree, 'install', '--csr-dir', '/csr');
      assert.deepEqual([again.code, again.stdout], [6, `nothing waits for a signature in ${csrDir}\n`]);
      await done(tree, 'rollback');
      assert.deepEqual(
        fileChanges(original, snapshot(tree.directory)).filter((line) => !line.startsWith('+ csr')),
        [],
      );
    });
  }

  test('in the cert dir itself, with names, and what is not signed is pending', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca } = set;
    await done(tree, 'renew', 'apiserver', 'admin.conf', 'scheduler.conf', '--csr-only');
    ca.sign(join(tree.certDir, 'apiserver.csr'), join(tree.certDir, 'apiserver.crt.new'));
    ca.sign(join(tree.certDir, 'admin.conf.csr'), join(tree.certDir, 'admin.conf.crt'));
    const named = await certs(tree, 'install', 'apiserver', 'scheduler.conf');
    assert.equal(named.code, 6);
    assert.match(named.stdout, /API installed, [^]*scheduler manager to use not signed yet/);
    const rest = await done(tree, 'install');
    assert.match(rest.stdout, /admin .* installed, [^]*scheduler manager to use not signed yet/);
    assert.deepEqual(
      readdirSync(tree.certDir).filter((name) => /\.new$|\.csr$|admin/.test(name)),
      ['scheduler.conf.csr'],
    );
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  test('from a bundle, paired by key whatever the order', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'all', ...there);
    ca.signAll(csrDir);
    const files = readdirSync(csrDir).filter((name) => name.endsWith('.crt'));
    const bundle = join(tree.directory, 'signed.pem');
    writeFileSync(
      bundle,
      files
        .reverse()
        .map((name) => readFileSync(join(csrDir, name), 'utf8'))
        .join('\n'),
    );
    for (const name of files) renameSync(join(csrDir, name), join(tree.directory, name));
    await done(tree, 'install', '--csr-dir', '/csr', '--from-bundle', '/signed.pem');
    assert.ok(existsSync(bundle), 'the bundle is the operator’s');
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  test('a swapped pair of names is paired by key, and said', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'etcd-server', 'etcd-peer', ...there);
    ca.sign(join(csrDir, 'etcd-server.csr'), join(csrDir, 'etcd-peer.crt'));
    ca.sign(join(csrDir, 'etcd-peer.csr'), join(csrDir, 'etcd-server.crt'));
    const { stderr } = await done(tree, 'install', '--csr-dir', '/csr');
    assert.match(stderr, /warning: .*etcd-peer\.crt: holds the certificate for etcd-server, by its key/);
    requireSound(tree, join(temporaryDirectory(t), 'sound'));
  });

  const usages = 'basicConstraints = CA:FALSE\nextendedKeyUsage = ';
  // All that is refused of what a CA gives back: test/operations/install/plan-install.test.ts.
  const refusals: readonly (readonly [what: string, options: SigningOptions, message: RegExp])[] = [
    ['signed by another CA', { caName: 'etcd-ca' }, /is not signed by the CA of .*\/ca\.crt/],
    [
      'with the SANs left out',
      { copyExtensions: false },
      /has other SANs than the CSR: missing DNS:.*\nhint: .*copy_extensions/,
    ],
    ['signed with SHA-1', { digest: 'sha1' }, /is signed with an algorithm that Kubernetes refuses/],
  ];
  for (const [what, options, message] of refusals) {
    test(`refuses the whole set for one ${what}`, async (t) => {
      const set = setting(t);
      if (set === undefined) return;
      const { tree, ca, csrDir } = set;
      await done(tree, 'renew', 'apiserver', 'scheduler.conf', ...there);
      ca.signAll(csrDir);
      ca.sign(join(csrDir, 'apiserver.csr'), join(csrDir, 'apiserver.crt'), options);
      const before = snapshot(tree.directory);
      const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, /^error: .*csr\/apiserver\.crt: the certificate for apiserver /);
      assert.match(outcome.stderr, message);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('refuses certificates for another key, and unrelated ones, by name', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    ca.sign(join(csrDir, 'apiserver.csr'), join(tree.directory, 'old.crt'));
    await done(tree, 'renew', 'apiserver', ...there, '--force');
    renameSync(join(tree.directory, 'old.crt'), join(csrDir, 'apiserver.crt'));
    const outcome = await certs(tree, 'install', '--csr-dir', '/csr');
    assert.equal(outcome.code, 1);
    assert.match(
      outcome.stderr,
      /csr\/apiserver\.crt: the certificate of "CN=kube-apiserver" belongs to no key that a certificate was asked for with/,
    );
  });

  test('--allow-changes takes other SANs, and shows the difference', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', ...there);
    ca.signAll(csrDir, { copyExtensions: false });
    // Without any no client would accept it.
    const none = await certs(tree, 'install', '--csr-dir', '/csr', '--allow-changes');
    assert.equal(none.code, 1);
    assert.match(none.stderr, /error: .*has other SANs than the CSR: missing DNS:.*\nhint: (?!.*--allow)/);
    const extensions = `${usages}serverAuth\nsubjectAltName = DNS:kubernetes, DNS:added.example.com\n`;
    ca.signAll(csrDir, { copyExtensions: false, extensions });
    const { stderr } = await done(tree, 'install', '--csr-dir', '/csr', '--allow-changes');
    assert.match(
      stderr,
      /warning: .*has other SANs than the CSR: missing DNS:.*; added DNS:added\.example\.com$/m,
    );
  });

  test('what is in use for something else is not cleared away, though a link leads to it', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'etcd-server', ...there);
    const peer = join(tree.certDir, 'etcd/peer.key');
    execFileSync('openssl', [
      'req',
      '-new',
      '-key',
      peer,
      '-subj',
      '/CN=control-plane-1',
      '-out',
      join(csrDir, 'etcd-server.csr'),
    ]);
    rmSync(join(csrDir, 'etcd-server.key'));
    symlinkSync('/etc/kubernetes/pki/etcd/peer.key', join(csrDir, 'etcd-server.key'));
    ca.signAll(csrDir);
    const before = readFileSync(peer, 'utf8');
    await done(tree, 'install', '--csr-dir', '/csr');
    assert.equal(readFileSync(peer, 'utf8'), before);
  });

  test('a CSR dir that is not there is an error', async (t) => {
    const tree = copyFixture(t, 'external-ca');
    const { code, stdout, stderr } = await certs(tree, 'install', '--csr-dir', '/nowhere');
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /\/nowhere: no such directory\nhint: .*--csr-dir$/m);
  });

  test('a directory that every user may write to is warned of', async (t) => {
    const set = setting(t);
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    mkdirSync(csrDir);
    chmodSync(csrDir, 0o1777);
    const requested = await done(tree, 'renew', 'apiserver', ...there);
    assert.match(requested.stderr, /^warning: .*\/csr: every user of this machine may write to it/m);
    ca.signAll(csrDir);
    const { stderr } = await done(tree, 'install', '--csr-dir', '/csr');
    assert.match(stderr, /^warning: .*\/csr: every user of this machine may write to it/m);
  });
});

test('certificate-key prints 64 hex digits, another each time', async () => {
  const [one, two] = await Promise.all([
    kubepki(['certs', 'certificate-key']),
    kubepki(['certs', 'certificate-key']),
  ]);
  assert.match(one.stdout, /^[0-9a-f]{64}\n$/);
  assert.notEqual(one.stdout, two.stdout);
});
