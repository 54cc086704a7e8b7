import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { keyMaterial } from '../support/certificates/key-material.ts';
import { kubepki, type Outcome } from '../support/kubepki.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../support/tree.ts';
import { traced } from './strace.ts';

describe('secrets', () => {
  test('no file that holds a private key is ever opened for creation wider than 0600', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    for (const role of ['stacked-etcd-rsa', 'ipv6']) {
      const tree = copyFixture(t, role);
      rmSync(join(tree.certDir, 'apiserver.key'));
      const run = await traced(
        strace,
        ['certs', 'renew', 'all', '--rootfs', tree.directory],
        temporaryDirectory(t),
      );
      assert.equal(run.code, 0, run.stderr);
      const created = run.log.filter(
        (line) => line.startsWith('openat(') && line.includes('O_CREAT') && line.includes(tree.directory),
      );
      assert.ok(created.length > 30, 'files are created');
      for (const line of created) assert.match(line, /, 0600\) = \d+/, line);
      // What is locked holds no secret, and may be there.
      const secret = created.filter((line) => !/\.kubepki[/.]lock"/.test(line));
      for (const line of secret) assert.match(line, /O_EXCL/, line);
      // A wider mode comes only where the file that is replaced has it: certificates.
      const widened = run.log.filter((line) => /^fchmod\(.*, 0(?!600)\d+\)/.test(line));
      for (const line of widened) assert.match(line, /\.crt\.kubepki-[0-9a-f]{12}>, 0644\) = 0/, line);
      // And before the first byte.
      const staged = run.log.filter((line) => /^\w+\(\d+<[^>]*\.apiserver\.crt\.kubepki-/.test(line));
      const calls = staged.map((line) => /^\w+/.exec(line)?.[0]);
      assert.ok(calls.includes('fchmod') && calls.includes('pwrite64'), calls.join(' '));
      assert.ok(calls.indexOf('fchmod') < calls.indexOf('pwrite64'), calls.join(' '));
    }
  });

  async function requireSilent(t: TestContext, tree: Tree, outcomes: readonly Outcome[]): Promise<void> {
    const known = keyMaterial(tree.directory);
    assert.ok(known.length > 20, 'there are keys to look for');
    for (const { stdout, stderr } of outcomes) {
      assert.doesNotMatch(stdout + stderr, /PRIVATE KEY-----/);
      for (const secret of known) assert.ok(!(stdout + stderr).includes(secret));
    }
    t.diagnostic(`${String(outcomes.length)} outputs searched for ${String(known.length)} pieces of keys`);
    await Promise.resolve();
  }

  test('no key appears on stdout or stderr, in any command, dry run or error', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const run = (...args: string[]): Promise<Outcome> =>
      kubepki(['certs', ...args, '--rootfs', tree.directory]);
    const outcomes = [
      await run('renew', 'all', '--dry-run'),
      await run('renew', 'all'),
      await run('check-expiration', '-o', 'json'),
      await run('history', '-o', 'json'),
      await run('rollback', '--dry-run'),
      await run('rollback'),
      await run('recover'),
    ];
    for (const { code, stderr } of outcomes) assert.equal(code, 0, stderr);
    await requireSilent(t, tree, outcomes);
  });

  test('nor where a key stands in the wrong place, or is damaged', async (t) => {
    const tree = copyFixture(t, 'stacked-etcd-rsa');
    const key = readFileSync(join(tree.certDir, 'apiserver.key'), 'utf8');
    const admin = join(tree.kubeconfigDir, 'admin.conf');
    const kubeconfig = readFileSync(admin, 'utf8');
    const broken: readonly (readonly [string, string])[] = [
      [join(tree.certDir, 'apiserver.crt'), key],
      [join(tree.certDir, 'ca.key'), key.replace('A', '!')],
      [join(tree.certDir, 'ca.key'), key.slice(0, 900)],
      [admin, key],
      [admin, kubeconfig.replace('client-key-data: ', 'client-key-data: [')],
      [admin, kubeconfig.replace('client-key-data: ', 'client-key-data: *')],
      [admin, kubeconfig.replace('client-key-data: ', "client-key-data: '")],
      [
        admin,
        kubeconfig.replace(
          /current-context: .*/,
          `current-context: ${/client-key-data: (\S+)/.exec(kubeconfig)?.[1] ?? ''}`,
        ),
      ],
    ];
    const outcomes: Outcome[] = [];
    for (const [index, [path, content]] of broken.entries()) {
      const old = readFileSync(path);
      writeFileSync(path, content);
      for (const args of [['check-expiration'], ['renew', 'all'], ['renew', 'all', '--config', path]]) {
        const outcome = await kubepki([
          'certs',
          ...args,
          ...(args.includes('--config') ? ['--cert-dir', tree.certDir] : ['--rootfs', tree.directory]),
        ]);
        assert.doesNotMatch(outcome.stderr, /\n\s+at /);
        // The last one puts the key where a name belongs, and names are shown.
        if (index < broken.length - 1) outcomes.push(outcome);
      }
      writeFileSync(path, old);
    }
    await requireSilent(t, tree, outcomes);
  });
});
