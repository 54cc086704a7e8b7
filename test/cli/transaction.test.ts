import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { until } from '../support/deadline.ts';
import { judge } from '../support/judge.ts';
import { kubepki, kubepkiBin } from '../support/kubepki.ts';
import { changes, copyFixture, fileChanges, fixturePath, snapshot, type Tree } from '../support/tree.ts';

const stateDir = (tree: Tree): string => join(tree.kubeconfigDir, 'kubepki');
const certs = (tree: Tree, ...args: string[]): ReturnType<typeof kubepki> =>
  kubepki(['certs', ...args, '--rootfs', tree.directory]);

function tree(t: TestContext): Tree {
  return copyFixture(t, 'ipv6');
}

async function renewed(copy: Tree): Promise<void> {
  const outcome = await certs(copy, 'renew', 'all');
  assert.equal(outcome.code, 0, outcome.stderr);
}

describe('backups', () => {
  test('a renewal keeps what it replaced, for root alone, with a manifest', async (t) => {
    const copy = tree(t);
    await renewed(copy);
    const state = [...snapshot(copy.directory)].filter(([path]) => path.includes('kubepki'));
    for (const [path, { type, mode }] of state)
      assert.equal(mode, type === 'directory' ? '0700' : '0600', path);
    const { stdout } = await certs(copy, 'history', '-o', 'json');
    const history = JSON.parse(stdout) as {
      backups: { command: string; certificates: { name: string; old: object; new: object }[] }[];
    };
    assert.equal(history.backups.length, 1);
    assert.equal(history.backups[0]?.command, `kubepki certs renew all --rootfs ${copy.directory}`);
    assert.equal(history.backups[0].certificates.length, 10);
    for (const { old, new: now } of history.backups[0].certificates) {
      assert.deepEqual(Object.keys(old), ['serial', 'fingerprint', 'notAfter']);
      assert.notDeepEqual(old, now);
    }
  });

  test('rollback brings back every byte, and can be rolled back', async (t) => {
    const copy = tree(t);
    const original = snapshot(copy.directory);
    await renewed(copy);
    const after = snapshot(copy.directory);
    const back = await certs(copy, 'rollback');
    assert.equal(back.code, 0, back.stderr);
    assert.match(back.stdout, /^rolled back: 17 files /);
    assert.deepEqual(fileChanges(original, snapshot(copy.directory)), []);
    assert.equal((await certs(copy, 'rollback')).code, 0);
    assert.deepEqual(fileChanges(after, snapshot(copy.directory)), []);
    assert.equal((await certs(copy, 'history')).stdout.split('\n').length, 5);
  });

  test('rollback to one by its name; an unknown one is an error', async (t) => {
    const copy = tree(t);
    const original = snapshot(copy.directory);
    await renewed(copy);
    const [id = ''] = readdirSync(join(stateDir(copy), 'backups'));
    await renewed(copy);
    assert.equal((await certs(copy, 'rollback', id)).code, 0);
    assert.deepEqual(fileChanges(original, snapshot(copy.directory)), []);
    const unknown = await certs(copy, 'rollback', 'yesterday');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /there is no backup "yesterday"\nhint: kubepki certs history/);
  });

  test('expired certificates come back only with --force', async (t) => {
    const copy = copyFixture(t, 'expired-leaf');
    assert.equal((await certs(copy, 'renew', 'apiserver')).code, 0);
    const before = snapshot(copy.directory);
    const refused = await certs(copy, 'rollback');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /would bring back expired certificates: apiserver\nhint: .*--force/);
    assert.deepEqual(changes(before, snapshot(copy.directory)), []);
    assert.equal((await certs(copy, 'rollback', '--force')).code, 0);
  });

  test('the last five are kept, or as many as asked for', async (t) => {
    const copy = tree(t);
    for (let run = 0; run < 6; run += 1) assert.equal((await certs(copy, 'renew', 'apiserver')).code, 0);
    assert.equal(readdirSync(join(stateDir(copy), 'backups')).length, 5);
    assert.equal((await certs(copy, 'renew', 'apiserver', '--keep-backups', '2')).code, 0);
    assert.equal(readdirSync(join(stateDir(copy), 'backups')).length, 2);
  });

  test('a damaged backup is not used', async (t) => {
    const copy = tree(t);
    await renewed(copy);
    const [id = ''] = readdirSync(join(stateDir(copy), 'backups'));
    writeFileSync(join(stateDir(copy), 'backups', id, '03'), 'damaged');
    const before = snapshot(copy.directory);
    const outcome = await certs(copy, 'rollback');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /03: is damaged or missing/);
    assert.deepEqual(changes(before, snapshot(copy.directory)), []);
  });
});

describe('--dry-run', () => {
  for (const args of [['renew', 'all'], ['renew', 'apiserver'], ['rollback'], ['recover']]) {
    test(`${args.join(' ')} writes nothing, not even a lock`, async (t) => {
      const copy = tree(t);
      await renewed(copy);
      const before = snapshot(copy.directory);
      const outcome = await certs(copy, ...args, '--dry-run');
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(outcome.stdout, /nothing was changed \(--dry-run\)\n$/);
      assert.doesNotMatch(outcome.stdout + outcome.stderr, /PRIVATE KEY/);
      assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
    });
  }

  test('renew says for each certificate its ends, issuer, key and files', async (t) => {
    const copy = copyFixture(t, 'stacked-etcd-rsa');
    const { stdout } = await certs(copy, 'renew', 'apiserver', '--dry-run');
    assert.match(
      stdout.replaceAll(copy.directory, ''),
      /^would change apiserver: ends Nov 23, 2027 21:41 UTC -> \w{3} \d\d, \d{4} \d\d:\d\d UTC, issuer CN=kubernetes, key RSA-2048\n {2}\/etc\/kubernetes\/pki\/apiserver\.key\n {2}\/etc\/kubernetes\/pki\/apiserver\.crt\n/,
    );
  });
});

describe('the lock', () => {
  /** Holds the kernel's lock on the cert dir until it is killed. */
  async function holder(t: TestContext, copy: Tree, flock: string): Promise<{ kill: () => void }> {
    const child = spawn(flock, ['-x', copy.certDir, 'sh', '-c', 'echo held; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL');
    };
    t.after(kill);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { kill };
  }

  test('a second run waits for its time, then leaves with 7, naming the holder', async (t) => {
    const flock = judge(t, 'flock');
    if (flock === undefined) return;
    const copy = tree(t);
    mkdirSync(stateDir(copy), { mode: 0o700 });
    writeFileSync(join(stateDir(copy), 'holder'), '{"pid":4242,"command":"x"}\n');
    await holder(t, copy, flock);
    const before = snapshot(copy.directory);
    const outcome = await certs(copy, 'renew', 'all', '--lock-timeout', '300ms');
    assert.equal(outcome.code, 7);
    assert.match(outcome.stderr, /^error: another run \(pid 4242\) is at work on these certificates\nhint: /);
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
  });

  test('a holder that dies does not block the next run', async (t) => {
    const flock = judge(t, 'flock');
    if (flock === undefined) return;
    const copy = tree(t);
    const { kill } = await holder(t, copy, flock);
    kill();
    const outcome = await certs(copy, 'renew', 'apiserver', '--lock-timeout', '60s');
    assert.equal(outcome.code, 0, outcome.stderr);
  });
});

describe('an interrupted change', () => {
  /** Stops a renewal for good at its third rename of a target: the journal is committed, some files are new. */
  function interrupted(t: TestContext, copy: Tree): boolean {
    const strace = judge(t, 'strace');
    if (strace === undefined) return false;
    // Renames 1 to 3: the holder, the journal, the journal committed. 4 and 5 are files.
    const { signal } = spawnSync(
      strace,
      [
        '-o',
        '/dev/null',
        '-e',
        'trace=rename',
        '-e',
        'inject=rename:signal=SIGKILL:when=6',
        process.execPath,
        kubepkiBin,
        'certs',
        'renew',
        'all',
        '--rootfs',
        copy.directory,
      ],
      { stdio: 'ignore' },
    );
    assert.equal(signal, 'SIGKILL');
    return true;
  }

  test('is announced by check-expiration, which changes nothing, and completed by the next run that writes', async (t) => {
    const copy = tree(t);
    const original = snapshot(copy.directory);
    if (!interrupted(t, copy)) return;
    const before = snapshot(copy.directory);
    assert.equal(fileChanges(original, before).filter((line) => line.startsWith('~')).length, 2);
    const checked = await certs(copy, 'check-expiration');
    assert.equal(checked.code, 0);
    assert.match(
      checked.stderr,
      /^warning: an unfinished change is waiting to be brought to an end: kubepki certs recover --rootfs /,
    );
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
    const next = await certs(copy, 'renew', 'scheduler.conf');
    assert.equal(next.code, 0, next.stderr);
    assert.match(
      next.stderr,
      /^note: an earlier run was interrupted, and its change was completed: kubepki certs renew all /,
    );
    assert.equal(fileChanges(original, snapshot(copy.directory)).length, 17);
  });

  test('goes back from the backup when a new file is lost', async (t) => {
    const copy = tree(t);
    const original = snapshot(copy.directory);
    if (!interrupted(t, copy)) return;
    const staged =
      [...snapshot(copy.directory).keys()].find((path) => path.includes('.scheduler.conf.kubepki-')) ?? '';
    writeFileSync(join(copy.directory, staged), 'damaged');
    const outcome = await certs(copy, 'recover');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /its change was taken back/);
    assert.deepEqual(fileChanges(original, snapshot(copy.directory)), []);
  });

  test('is left alone where somebody else wrote: exit 9 names the file, and --discard is the way on', async (t) => {
    const copy = tree(t);
    if (!interrupted(t, copy)) return;
    const path = join(copy.certDir, 'etcd/server.crt');
    writeFileSync(path, readFileSync(fixturePath('stacked-etcd-rsa', 'etc/kubernetes/pki/etcd/server.crt')));
    const before = snapshot(copy.directory);
    for (const args of [['recover'], ['renew', 'all']]) {
      const outcome = await certs(copy, ...args);
      assert.equal(outcome.code, 9);
      assert.ok(outcome.stderr.startsWith(`error: ${path}: was changed by somebody else`), outcome.stderr);
      assert.match(outcome.stderr, /\nhint: .*recover --discard/);
      assert.deepEqual(fileChanges(before, snapshot(copy.directory), { inodes: true }), []);
    }
    const discarded = await certs(copy, 'recover', '--discard');
    assert.equal(discarded.code, 0, discarded.stderr);
    const left = [...snapshot(copy.directory).keys()].filter((one) => /(?:^|\/)\.|journal|holder/.test(one));
    assert.deepEqual(left, []);
    assert.equal(readdirSync(join(stateDir(copy), 'backups')).length, 1);
    assert.equal((await certs(copy, 'renew', 'all')).code, 0);
  });

  test('SIGTERM during key generation leaves nothing behind, exit 143', async (t) => {
    const copy = copyFixture(t, 'stacked-etcd-rsa');
    writeFileSync(
      join(copy.directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: RSA-4096\n',
    );
    const before = snapshot(copy.directory);
    const child = spawn(
      process.execPath,
      [kubepkiBin, 'certs', 'renew', 'all', '--rootfs', copy.directory, '--config', '/kubeadm.yaml'],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => child.once('close', resolve));
    // The lock's file is there before the first key is begun; ten keys of RSA-4096 take seconds.
    await until(
      () => ([...snapshot(copy.directory).keys()].some((path) => path.endsWith('holder')) ? true : undefined),
      {
        deadlineMs: 30_000,
        otherwise: () => 'the run never took the lock',
      },
    );
    child.kill('SIGTERM');
    assert.equal(await ended, 143);
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
  });
});

describe('hostile directories', () => {
  test('two names of one cert dir share one state', async (t) => {
    const copy = tree(t);
    symlinkSync('pki', join(copy.kubeconfigDir, 'alias'));
    assert.equal(
      (
        await kubepki([
          'certs',
          'renew',
          'apiserver',
          '--rootfs',
          copy.directory,
          '--cert-dir',
          '/etc/kubernetes/alias',
        ])
      ).code,
      0,
    );
    assert.equal((await certs(copy, 'history')).stdout.split('\n').length, 3);
  });

  test('names with spaces and non-ASCII characters', async (t) => {
    const copy = tree(t);
    const odd = join(copy.directory, 'Schlüssel und Zertifikate');
    mkdirSync(odd);
    spawnSync('cp', ['-a', copy.certDir, join(odd, 'pki für alle')]);
    const outcome = await kubepki([
      'certs',
      'renew',
      'etcd-server',
      '--cert-dir',
      join(odd, 'pki für alle'),
      '--kubeconfig-dir',
      copy.kubeconfigDir,
    ]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.ok(readdirSync(odd).includes('kubepki'));
  });
});
