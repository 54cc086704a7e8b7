import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { changes, copyFixture, snapshot, type Tree } from '../../support/tree.ts';

const hour = 3_600_000;

/** openssl's word. */
function endOf(openssl: string, tree: Tree, baseName: string): number {
  const file = join(tree.certDir, `${baseName}.crt`);
  const args = ['x509', '-in', file, '-noout', '-enddate', '-dateopt', 'iso_8601'];
  const line = execFileSync(openssl, args, { encoding: 'utf8' });
  return Date.parse(line.trim().replace('notAfter=', '').replace(' ', 'T'));
}

/** Hours from the moment of the renewal to the end, as openssl reads it. */
async function renewedFor(
  t: TestContext,
  tree: Tree,
  ...args: readonly string[]
): Promise<number | undefined> {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const began = Math.floor(Date.now() / 1000) * 1000;
  await done(tree, 'renew', 'front-proxy-client', ...args);
  const end = endOf(openssl, tree, 'front-proxy-client');
  const spent = Date.now() - began;
  const period = end - began;
  const hours = Math.floor(period / hour);
  assert.ok(period - hours * hour <= spent, `not whole hours: ${String(period)} ms`);
  return hours;
}

describe('renew --validity', () => {
  for (const [text, hours] of [
    ['720h', 720],
    ['90d', 90 * 24],
    ['4w', 4 * 7 * 24],
    ['2y', 2 * 365 * 24],
    ['1y12h', 365 * 24 + 12],
    ['43200m', 720],
  ] as const) {
    test(`${text} is ${String(hours)} hours`, async (t) => {
      const found = await renewedFor(t, quickTree(t), '--validity', text);
      if (found !== undefined) assert.equal(found, hours);
    });
  }

  test("is above the configuration's, which is above kubeadm's year", async (t) => {
    const tree = quickTree(t);
    writeFileSync(
      join(tree.directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\ncertificateValidityPeriod: 100h\n',
    );
    const config = ['--config', '/kubeadm.yaml'];
    for (const [args, hours] of [
      [[], 8760],
      [config, 100],
      [[...config, '--validity', '3d'], 72],
      [[...config, '--validity', '200h'], 200],
    ] as const) {
      const found = await renewedFor(t, tree, ...args);
      if (found === undefined) return;
      assert.equal(found, hours, args.join(' '));
    }
  });

  test("ends with the CA where the period is longer, with a warning; not where it isn't", async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = copyFixture(t, 'ca-expiring');
    const caEnd = endOf(openssl, tree, 'ca');
    const { stderr } = await done(tree, 'renew', 'apiserver', 'etcd-server', '--validity', '9y');
    assert.equal(endOf(openssl, tree, 'apiserver'), caEnd);
    assert.match(
      stderr,
      /^warning: \S*\/pki\/ca\.crt: the CA ends on 2027-03-01T00:00:00Z, and with it: apiserver$/m,
    );
    assert.ok(endOf(openssl, tree, 'etcd/server') > Date.now() + 2 * 8760 * hour);
    const short = await done(tree, 'renew', 'apiserver', '--validity', '1d');
    assert.doesNotMatch(short.stderr, /the CA ends/);
    assert.ok(endOf(openssl, tree, 'apiserver') < caEnd);
  });

  test('holds for all of them', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = quickTree(t);
    await done(tree, 'renew', 'all', '--validity', '30d');
    for (const name of ['apiserver', 'etcd/peer', 'front-proxy-client', 'apiserver-kubelet-client']) {
      const left = endOf(openssl, tree, name) - Date.now();
      assert.ok(left > 719 * hour && left <= 720 * hour, name);
    }
  });

  test('--dry-run shows the end and changes nothing', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    const day = 24 * hour;
    const { stdout } = await done(tree, 'renew', 'apiserver', '--validity', '60d', '--dry-run');
    const shown = / -> (\w{3} \d\d, \d{4} \d\d:\d\d UTC)/.exec(stdout)?.[1] ?? '';
    assert.ok(Math.abs(Date.parse(shown) - Date.now() - 60 * day) < 2 * 60_000, stdout);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('a typing error changes nothing', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    for (const text of ['', '0', '0h', '-1h', '+1h', '1', '90', '2 y', 'y', '1M', '12h1y', '90D']) {
      const outcome = await certs(tree, 'renew', 'apiserver', `--validity=${text}`);
      assert.equal(outcome.code, 1, text);
      assert.match(outcome.stderr, /^error: .*--validity.*720h.*90d.*2y/, text);
      assert.equal(outcome.stdout, '');
    }
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('minutes that were meant as months are refused, and less than a day is warned of', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    for (const text of ['6m', '1s', '9m59s']) {
      const outcome = await certs(tree, 'renew', 'apiserver', '--validity', text);
      assert.equal(outcome.code, 1, text);
      assert.match(outcome.stderr, /^error: .*10 minutes/, text);
    }
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    const short = await done(tree, 'renew', 'front-proxy-client', '--validity', '12m');
    assert.match(short.stderr, /^warning: .*12m.*less than a day/m);
    const day = await done(tree, 'renew', 'front-proxy-client', '--validity', '1d');
    assert.doesNotMatch(day.stderr, /warning/);
  });

  test('a CSR asks for no period: the CA that signs it decides', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'apiserver', '--csr-only', '--validity', '90d');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /^error: --validity does not go with --csr-only/);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('the command for the rest, where one is refused, keeps the period', async (t) => {
    const tree = quickTree(t);
    writeFileSync(join(tree.certDir, 'front-proxy-client.crt'), 'no certificate\n');
    const outcome = await certs(tree, 'renew', 'apiserver', 'front-proxy-client', '--validity', '90d');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /to renew the rest: kubepki certs renew apiserver --validity 90d --rootfs/);
  });
});
