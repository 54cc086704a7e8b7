import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { kubepki as startedKubepki } from '../../support/kubepki.ts';
import { judge } from '../../support/judge.ts';
import { samplesOf } from '../../support/metrics.ts';
import { quickTree } from '../../support/node.ts';
import { shortenCa, treeEnding } from '../../support/certificates/short-lived.ts';
import { changes, fixturePath, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const lastRun = 'kubepki_renew_last_run_timestamp_seconds';
const lastSuccess = 'kubepki_renew_last_success_timestamp_seconds';
const lastExitCode = 'kubepki_renew_last_exit_code';
const flag = ['--textfile', '/metrics/kubepki.prom'];

function metricsDirectory(tree: Tree): string {
  const directory = join(tree.directory, 'metrics');
  mkdirSync(directory);
  return directory;
}

function read(directory: string): string {
  return readFileSync(join(directory, 'kubepki.prom'), 'utf8');
}

function valueOf(text: string, metric: string): number | undefined {
  return samplesOf(text).find(({ name }) => name === metric)?.value;
}

/** Whole seconds, between two moments. */
function requireBetween(value: number | undefined, began: number): void {
  assert.ok(value !== undefined);
  assert.ok(value >= Math.floor(began / 1000) && value <= Date.now() / 1000, String(value));
}

function requireClean(t: TestContext, text: string): void {
  const promtool = judge(t, 'promtool');
  if (promtool === undefined) return;
  const { stdout, stderr, status } = spawnSync(promtool, ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  assert.deepEqual([stdout, stderr, status], ['', '', 0]);
}

describe('check-expiration --textfile', () => {
  test('is what -o prometheus prints; stdout is what it was; 0644, whatever the umask', async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    const at = ['--at', '2027-01-01T00:00:00Z'];
    const old = process.umask(0o077);
    t.after(() => process.umask(old));
    const outcome = await done(tree, 'check-expiration', ...at, ...flag);
    assert.equal(outcome.stdout, (await done(tree, 'check-expiration', ...at)).stdout);
    assert.equal(read(directory), (await done(tree, 'check-expiration', ...at, '-o', 'prometheus')).stdout);
    assert.equal(statSync(join(directory, 'kubepki.prom')).mode & 0o777, 0o644);
    assert.deepEqual(readdirSync(directory), ['kubepki.prom']);
  });

  test('goes with --within and nagios, and keeps what is known of renew', async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    writeFileSync(
      join(directory, 'kubepki.prom'),
      `garbage\n${lastRun} 1800000001\n${lastSuccess} 1800000000\n${lastExitCode} 4\n`,
    );
    const args = ['check-expiration', '--at', '2027-10-12T00:00:00Z', ...flag];
    for (const [more, code] of [
      [['--within', '30d'], 4],
      [['-o', 'nagios'], 1],
      [['-o', 'json'], 0],
    ] as const) {
      assert.equal((await certs(tree, ...args, ...more)).code, code);
      const text = read(directory);
      requireClean(t, text);
      assert.deepEqual(
        [lastRun, lastSuccess, lastExitCode].map((name) => valueOf(text, name)),
        [1_800_000_001, 1_800_000_000, 4],
      );
      assert.doesNotMatch(text, /garbage/);
    }
    const both = await done(tree, ...args, '-o', 'prometheus');
    assert.equal(both.stdout, read(directory));
  });

  test('a relative path is one of the working directory; without --rootfs an absolute one is of this machine', async (t) => {
    const directory = temporaryDirectory(t);
    const node = ['certs', 'check-expiration', '--cert-dir', fixturePath('ipv6', 'etc/kubernetes/pki')];
    assert.equal((await startedKubepki([...node, '--textfile', 'a.prom'], { cwd: directory })).code, 0);
    assert.equal((await kubepki([...node, '--textfile', join(directory, 'b.prom')])).code, 0);
    assert.deepEqual(readdirSync(directory), ['a.prom', 'b.prom']);
  });

  test('a directory that is not there: the table is shown, then the error, and it is exit 1 at least', async (t) => {
    const tree = quickTree(t);
    const at = ['--at', '2027-10-12T00:00:00Z'];
    const table = (await done(tree, 'check-expiration', ...at)).stdout;
    for (const [more, code] of [
      [[], 1],
      [['--quiet'], 1],
      [['--within', '1d'], 1],
      [['--within', '30d'], 4],
    ] as const) {
      const outcome = await certs(tree, 'check-expiration', ...at, ...flag, ...more);
      assert.deepEqual([outcome.code, outcome.stdout], [code, table], more.join(' '));
      assert.match(outcome.stderr, /^error: \S+\/metrics: no such file or directory\n/);
    }
    rmSync(join(tree.certDir, 'apiserver.crt'));
    const within = ['check-expiration', ...at, ...flag, '--within', '30d'];
    assert.equal((await certs(tree, ...within)).code, 5);
  });

  test('so also for several trees, and a plugin says no more than it knows', async (t) => {
    const trees = [quickTree(t), quickTree(t)].map(({ directory }) => directory);
    const check = (...args: readonly string[]) =>
      kubepki(['certs', 'check-expiration', '--at', '2027-10-12T00:00:00Z', ...args]);
    const unwritable = ['--textfile', join(temporaryDirectory(t), 'gone/kubepki.prom')];
    const table = (await check('--rootfs', ...trees)).stdout;
    for (const [more, code] of [
      [[], 1],
      [['--within', '30d'], 4],
    ] as const) {
      const outcome = await check(...more, ...unwritable, '--rootfs', ...trees);
      assert.deepEqual([outcome.code, outcome.stdout], [code, table]);
      assert.match(outcome.stderr, /^error: \S+\/gone: no such file or directory$/m);
    }
    const root = ['--rootfs', trees[0] ?? ''];
    const well = await check('-o', 'nagios', ...unwritable, ...root);
    assert.equal(well.code, 3);
    assert.match(well.stdout, /^KUBEPKI UNKNOWN - \S+gone: no such file or directory\n$/);
    const critical = await check(
      '-o',
      'nagios',
      '--critical',
      '60d',
      '--warning',
      '90d',
      ...unwritable,
      ...root,
    );
    assert.equal(critical.code, 2);
    assert.match(critical.stdout, /^KUBEPKI CRITICAL - expiring: [^\n]+\n$/);
    assert.match(critical.stderr, /^error: \S+gone: no such file or directory\n$/);
  });

  test('metrics of many trees are replaced however long they are, and keep what they say of renew', async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    const long = `x509_cert_expired{name="x"} 0\n`.repeat(100_000);
    writeFileSync(join(directory, 'kubepki.prom'), `# HELP x\n${long}${lastExitCode} 4\n`);
    await done(tree, 'check-expiration', ...flag);
    assert.equal(valueOf(read(directory), lastExitCode), 4);
    assert.ok(read(directory).length < 100_000);
  });

  test("somebody's link at its name is replaced, never followed", async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    const victim = join(tree.directory, 'victim');
    writeFileSync(victim, 'precious\n');
    symlinkSync('/victim', join(directory, 'kubepki.prom'));
    await done(tree, 'check-expiration', ...flag);
    assert.equal(readFileSync(victim, 'utf8'), 'precious\n');
    assert.ok(lstatSync(join(directory, 'kubepki.prom')).isFile());
  });

  test('never replaces what holds no metrics: a key, a directory, a FIFO', async (t) => {
    const tree = quickTree(t);
    mkdirSync(join(tree.directory, 'metrics/directory.prom'), { recursive: true });
    spawnSync('mkfifo', [join(tree.directory, 'metrics/fifo.prom')]);
    symlinkSync('/etc/kubernetes/pki/ca.key', join(tree.directory, 'metrics/link'));
    const before = snapshot(tree.directory);
    for (const path of [
      '/etc/kubernetes/pki/ca.key',
      '/etc/kubernetes/admin.conf',
      '/metrics/directory.prom',
      '/metrics/fifo.prom',
      '/metrics/link',
    ]) {
      const outcome = await certs(tree, 'check-expiration', '--textfile', path);
      assert.equal(outcome.code, 1, path);
      assert.match(outcome.stderr, new RegExp(`^error: \\S+${path}: `));
    }
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe('renew --textfile', () => {
  test('says when it ran, what came of it and what the certificates are now', async (t) => {
    const tree = treeEnding(t, { apiserver: 20 });
    const directory = metricsDirectory(tree);
    const began = Date.now();
    await done(tree, 'renew', 'all', '--within', '30d', ...flag);
    const text = read(directory);
    requireClean(t, text);
    requireBetween(valueOf(text, lastRun), began);
    requireBetween(valueOf(text, lastSuccess), began);
    assert.equal(valueOf(text, lastExitCode), 0);
    const end = samplesOf(text).find(
      ({ name, labels }) => name === 'x509_cert_not_after' && labels['name'] === 'apiserver',
    )?.value;
    assert.ok(end !== undefined && end > began / 1000 + 364 * 24 * 3600);
    // Only the new serial number is there.
    assert.equal(
      samplesOf(text).filter(
        ({ name, labels }) => name === 'x509_cert_expired' && labels['name'] === 'apiserver',
      ).length,
      1,
    );
  });

  test('nothing was due: written all the same, and nothing else is', async (t) => {
    const tree = treeEnding(t);
    const directory = metricsDirectory(tree);
    const before = snapshot(tree.directory);
    const began = Date.now();
    await done(tree, 'renew', 'all', '--within', '30d', ...flag);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), [
      '+ metrics/kubepki.prom 0644',
    ]);
    requireBetween(valueOf(read(directory), lastSuccess), began);
  });

  test('refused: the last run is now, the last success is what it was', async (t) => {
    const tree = treeEnding(t);
    const directory = metricsDirectory(tree);
    writeFileSync(join(tree.certDir, 'apiserver.crt'), 'garbage\n');
    writeFileSync(join(directory, 'kubepki.prom'), `${lastSuccess} 1700000000\n`);
    const began = Date.now();
    assert.equal((await certs(tree, 'renew', 'all', ...flag)).code, 1);
    const text = read(directory);
    requireBetween(valueOf(text, lastRun), began);
    assert.deepEqual([valueOf(text, lastSuccess), valueOf(text, lastExitCode)], [1_700_000_000, 1]);
    assert.match(text, /^x509_cert_error\{name="apiserver",.*\} 1$/m);
  });

  test('never a success: the gauge is not there', async (t) => {
    const tree = treeEnding(t);
    const directory = metricsDirectory(tree);
    rmSync(join(tree.certDir, 'apiserver.crt'));
    assert.equal((await certs(tree, 'renew', 'apiserver', ...flag)).code, 6);
    const text = read(directory);
    requireClean(t, text);
    assert.deepEqual([valueOf(text, lastSuccess), valueOf(text, lastExitCode)], [undefined, 6]);
  });

  test('what stays due is no success', async (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = treeEnding(t, { apiserver: 10 });
    const directory = metricsDirectory(tree);
    shortenCa(openssl, tree, 'ca', 20);
    assert.equal((await certs(tree, 'renew', 'all', '--within', '30d', ...flag)).code, 4);
    assert.deepEqual(
      [valueOf(read(directory), lastSuccess), valueOf(read(directory), lastExitCode)],
      [undefined, 4],
    );
  });

  test('a directory that is not there stops it before anything is changed', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'all', ...flag);
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.match(outcome.stderr, /^error: \S+\/metrics: /);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('it cannot be written after a change: 8, and the change stands; without one: 1', async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    // Longer with the temporary name than a file name may be.
    const long = ['--textfile', `/metrics/${'x'.repeat(245)}.prom`];
    const changed = await certs(tree, 'renew', 'all', ...long);
    assert.equal(changed.code, 8, changed.stderr);
    assert.match(changed.stdout, /Done renewing certificates/);
    assert.match(changed.stderr, /^error: \S+\.prom: /m);
    const idle = await certs(tree, 'renew', 'all', '--within', '30d', ...long);
    assert.deepEqual([idle.code, idle.stdout], [1, 'nothing is due within 30d\n']);
    assert.deepEqual(readdirSync(directory), []);
  });

  test('not with --dry-run, and not for a command line that is wrong', async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    const dry = await certs(tree, 'renew', 'all', '--dry-run', ...flag);
    assert.deepEqual([dry.code, dry.stdout], [1, '']);
    assert.match(dry.stderr, /^error: --textfile does not go with --dry-run\n$/);
    assert.equal((await certs(tree, 'renew', 'nobody', ...flag)).code, 1);
    assert.deepEqual(readdirSync(directory), []);
  });

  test('--csr-only has it too', async (t) => {
    const tree = quickTree(t);
    const directory = metricsDirectory(tree);
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr', ...flag);
    assert.equal(valueOf(read(directory), lastExitCode), 0);
  });
});
