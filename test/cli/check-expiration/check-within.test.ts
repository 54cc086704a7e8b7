import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { certsInProcess as certs, kubepkiInProcess as kubepki } from '../../support/in-process.ts';
import { judge } from '../../support/judge.ts';
import { type Outcome } from '../../support/kubepki.ts';
import { shortenCa, treeEnding } from '../../support/certificates/short-lived.ts';
import { copyFixture, fixturePath } from '../../support/tree.ts';
import { unprivileged } from '../../support/machine/unprivileged.ts';

/** Of a fixture as it is; its leaves end on 2027-11-01T00:00:00Z. */
function check(at: string, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['certs', 'check-expiration', '--rootfs', fixturePath('ipv6', ''), '--at', at, ...args]);
}

describe('check-expiration --within', () => {
  for (const [what, at, code] of [
    ['a second more than the window', '2027-10-01T23:59:59Z', 0],
    ['exactly the window', '2027-10-02T00:00:00Z', 4],
    ['the last second', '2027-10-31T23:59:59Z', 4],
    ['nothing left', '2027-11-01T00:00:00Z', 5],
    ['expired', '2027-11-04T00:00:00Z', 5],
  ] as const) {
    test(`${what}: exit ${String(code)}, and the table is the same`, async () => {
      const outcome = await check(at, '--within', '30d');
      assert.equal(outcome.code, code);
      assert.equal(outcome.stdout, (await check(at)).stdout);
      assert.match(outcome.stderr, { 0: /^$/, 4: /^warning: expiring within 30d: /, 5: /^warning: / }[code]);
      assert.equal((await check(at, '--within', '720h')).code, code);
    });
  }

  test('what is due is said with how long', async () => {
    const { stderr } = await check('2027-10-12T00:00:00Z', '--within', '4w');
    assert.match(stderr, /^warning: expiring within 4w: admin\.conf \(20d\), apiserver \(20d\), [^\n]+\n$/);
    const expired = await check('2027-11-04T00:00:00Z', '--within', '4w');
    assert.match(expired.stderr, /^warning: admin\.conf expired 3d ago, apiserver expired 3d ago, [^\n]+\n$/);
  });

  test('CAs count', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = treeEnding(t);
    shortenCa(openssl, tree, 'front-proxy-ca', 20);
    const outcome = await certs(tree, 'check-expiration', '--within', '30d');
    assert.deepEqual(
      [outcome.code, outcome.stderr],
      [4, 'warning: expiring within 30d: front-proxy-ca (19d)\n'],
    );
    assert.equal((await certs(tree, 'check-expiration', '--within', '19d')).code, 0);
  });

  test('missing is 5, and beats what expires', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    rmSync(join(tree.certDir, 'apiserver.crt'));
    const run = (within: string): Promise<Outcome> =>
      certs(tree, 'check-expiration', '--at', '2027-10-12T00:00:00Z', '--within', within);
    assert.deepEqual(
      [(await run('1d')).code, (await run('1d')).stderr],
      [5, 'warning: apiserver is missing\n'],
    );
    const both = await run('30d');
    assert.equal(both.code, 5);
    assert.match(both.stderr, /^warning: apiserver is missing\nwarning: expiring within 30d: admin\.conf/);
    assert.equal((await certs(tree, 'check-expiration', '--at', '2027-10-12T00:00:00Z')).code, 0);
  });

  test('unreadable is 5, where it is 1 without', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    writeFileSync(join(tree.certDir, 'apiserver.crt'), 'garbage\n');
    const args = ['check-expiration', '--at', '2027-01-01T00:00:00Z'];
    assert.equal((await certs(tree, ...args)).code, 1);
    const outcome = await certs(tree, ...args, '--within', '30d');
    assert.equal(outcome.code, 5);
    assert.match(outcome.stderr, /^error: .*apiserver\.crt: .*$/m);
    assert.match(outcome.stderr, /^warning: apiserver cannot be read$/m);
  });

  test('a CA that is needed and missing', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    rmSync(join(tree.certDir, 'front-proxy-ca.crt'));
    const outcome = await certs(tree, 'check-expiration', '--at', '2027-01-01T00:00:00Z', '--within', '30d');
    assert.equal(outcome.code, 5);
    assert.match(outcome.stderr, /^warning: front-proxy-ca is missing$/m);
  });

  test('a leaf of an external CA without its key: !INVALID!, 5', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    for (const name of ['ca.key', 'apiserver.key']) rmSync(join(tree.certDir, name));
    const outcome = await certs(tree, 'check-expiration', '--at', '2027-01-01T00:00:00Z', '--within', '30d');
    assert.equal(outcome.code, 5);
    assert.match(outcome.stdout, /^!INVALID! apiserver /m);
    assert.match(
      outcome.stderr,
      /^error: \S+\/apiserver\.key: no such file: the certificate apiserver has no key$/m,
    );
  });

  test('a CA key that cannot be looked for', (t) => {
    const setpriv = judge(t, 'setpriv');
    if (setpriv === undefined) return;
    const tree = copyFixture(t, 'ipv6');
    chmodSync(tree.directory, 0o755);
    const locked = join(tree.directory, 'locked');
    mkdirSync(locked, { mode: 0o700 });
    rmSync(join(tree.certDir, 'ca.key'));
    symlinkSync('/locked/ca.key', join(tree.certDir, 'ca.key'));
    for (const name of ['admin', 'controller-manager', 'scheduler']) {
      chmodSync(join(tree.kubeconfigDir, `${name}.conf`), 0o644);
    }
    const args = ['certs', 'check-expiration', '--rootfs', tree.directory, '--at', '2027-01-01T00:00:00Z'];
    assert.equal(unprivileged(t, setpriv, args).code, 1);
    assert.equal(unprivileged(t, setpriv, [...args, '--within', '30d']).code, 5);
  });

  test('what is optional is not missing', async () => {
    for (const [role, ...config] of [['stacked-etcd-rsa'], ['external-etcd', '--config', '/kubeadm.yaml']]) {
      const outcome = await kubepki([
        'certs',
        'check-expiration',
        ...['--rootfs', fixturePath(role ?? '', ''), '--at', '2027-01-01T00:00:00Z', '--within', '30d'],
        ...config,
      ]);
      assert.deepEqual([outcome.code, outcome.stderr], [0, ''], role);
    }
  });

  test('no node, no configuration: their own codes', async (t) => {
    const nowhere = await kubepki(['certs', 'check-expiration', '--cert-dir', '/nope', '--within', '30d']);
    assert.equal(nowhere.code, 1);
    const tree = copyFixture(t, 'ipv6');
    writeFileSync(join(tree.directory, 'bad.yaml'), 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: Nothing\n');
    const bad = await certs(tree, 'check-expiration', '--config', '/bad.yaml', '--within', '30d');
    assert.equal(bad.code, (await certs(tree, 'check-expiration', '--config', '/bad.yaml')).code);
    assert.ok(bad.code === 1 || bad.code === 3);
  });

  for (const format of ['json', 'yaml', 'jsonpath={.kind}', 'prometheus']) {
    test(`-o ${format} has the same exit codes`, async () => {
      for (const [at, code] of [
        ['2027-01-01T00:00:00Z', 0],
        ['2027-10-12T00:00:00Z', 4],
        ['2028-01-01T00:00:00Z', 5],
      ] as const) {
        assert.equal((await check(at, '--within', '30d', '-o', format)).code, code);
      }
    });
  }

  for (const text of ['0', '30', '-1d', 'soon']) {
    test(`--within ${text} is a usage error`, async () => {
      const outcome = await check('2027-01-01T00:00:00Z', '--within', text);
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, /^error: .*--within/);
    });
  }
});

test('--quiet with --within: silent, or the table and the reason', async () => {
  const silent = await check('2027-01-01T00:00:00Z', '--within', '30d', '--quiet');
  assert.deepEqual([silent.stdout, silent.stderr, silent.code], ['', '', 0]);
  const due = await check('2027-10-12T00:00:00Z', '--within', '30d', '--quiet');
  assert.deepEqual(due, await check('2027-10-12T00:00:00Z', '--within', '30d'));
});
