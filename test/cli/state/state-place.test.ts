/** The state is in the cert dir, and the lock in both directories: whatever leads there finds the same. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireTidy, setState } from '../../faults/invariants.ts';
import { killedAfter } from '../../faults/killed.ts';
import { judge } from '../../support/judge.ts';
import { isExecutable, kubepki, kubepkiCommand } from '../../support/kubepki.ts';
import { holdLock, kubeconfigLockFile, lockFile } from '../../support/machine/lock-holder.ts';
import { mountsFor } from '../../support/machine/mounts.ts';
import { certs, done, quickTree, stateDirectory } from '../../support/node.ts';
import { mayChown } from '../../support/root.ts';
import { changes, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

/** Also what a lock leaves. */
function everything(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
}

function locks(tree: Tree): readonly string[] {
  return [join(stateDirectory(tree), 'lock'), join(tree.kubeconfigDir, '.kubepki.lock')];
}

function staged(tree: Tree): string[] {
  return everything(tree.directory).filter((path) => /\.kubepki-[0-9a-f]{12}$/.test(path));
}

/** Killed when two of its files are in place. @returns what was there before */
function halfRenewed(
  t: TestContext,
  tree: Tree,
  flags: readonly string[],
): ReturnType<typeof snapshot> | undefined {
  const strace = judge(t, 'strace');
  if (strace === undefined) return undefined;
  const before = snapshot(tree.directory);
  killedAfter(strace, 2, ['certs', 'renew', 'all', ...flags]);
  assert.equal(staged(tree).length, 15);
  return before;
}

describe('the lock files', () => {
  test('are for their owner alone, and the same ones in every run', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'apiserver');
    const facts = (path: string): readonly unknown[] => {
      const { mode, ino, uid } = lstatSync(path);
      return [(mode & 0o7777).toString(8), ino, uid];
    };
    assert.equal((lstatSync(stateDirectory(tree)).mode & 0o7777).toString(8), '700');
    const first = locks(tree).map(facts);
    for (const [mode, , uid] of first) assert.deepEqual([mode, uid], ['600', process.getuid?.()]);
    const name = readFileSync(locks(tree)[1] ?? '', 'utf8');
    assert.match(name, /^[0-9a-f]{32}\n$/);
    assert.equal((await certs(tree, 'renew', 'nothing')).code, 1);
    await done(tree, 'rollback');
    assert.deepEqual(locks(tree).map(facts), first);
    assert.equal(readFileSync(locks(tree)[1] ?? '', 'utf8'), name);
    // Nobody holds it.
    assert.equal(readFileSync(locks(tree)[0] ?? '', 'utf8'), '');
  });

  test('are not made by a dry run, nor by what only reads', async (t) => {
    const tree = quickTree(t);
    const before = everything(tree.directory);
    for (const command of [
      'check-expiration',
      'history',
      'renew all --dry-run',
      'renew all --csr-only --csr-dir /csr --dry-run',
      'recover --dry-run',
      'rollback --dry-run',
      'generate all --dry-run',
    ]) {
      await certs(tree, ...command.split(' '));
      assert.deepEqual(everything(tree.directory), before, command);
    }
  });

  for (const [what, plant, hint] of [
    [
      'a symlink',
      (path: string) => {
        symlinkSync('/etc/hostname', path);
      },
      'find out who made it, then move it away',
    ],
    [
      'a directory',
      (path: string) => {
        mkdirSync(path);
      },
      '',
    ],
    [
      'a FIFO',
      (path: string) => {
        assert.equal(spawnSync('mkfifo', ['-m', '600', path]).status, 0);
      },
      'find out who made it, then move it away',
    ],
    [
      "somebody else's",
      (path: string) => {
        writeFileSync(path, '', { mode: 0o600 });
        chownSync(path, 65534, 65534);
      },
      'run it as that user; or, if nothing of it is needed any more: mv ',
    ],
    [
      'open to others',
      (path: string) => {
        writeFileSync(path, '');
        chmodSync(path, 0o644);
      },
      'chmod 600 ',
    ],
  ] as const) {
    for (const index of [0, 1]) {
      test(`${what} in the place of ${index === 0 ? 'the first' : 'the second'}: exit 1, and nothing changes`, async (t) => {
        if (!mayChown(t)) return;
        const tree = quickTree(t);
        const path = locks(tree)[index] ?? '';
        mkdirSync(stateDirectory(tree), { mode: 0o700 });
        plant(path);
        const before = snapshot(tree.directory);
        const outcome = await certs(tree, 'renew', 'all');
        assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
        assert.ok(outcome.stderr.startsWith(`error: ${path}: `), outcome.stderr);
        if (hint !== '') assert.ok(outcome.stderr.includes(`\nhint: ${hint}`), outcome.stderr);
        assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      });
    }
  }

  test('of either directory keep another run away', async (t) => {
    const tree = quickTree(t);
    const holder = await holdLock(t, kubeconfigLockFile(tree));
    if (holder === undefined) return;
    const outcome = await certs(tree, 'renew', 'all', '--lock-timeout', '0s');
    assert.deepEqual([outcome.code, outcome.stdout], [7, '']);
    assert.match(outcome.stderr, /^error: another run is at work on these certificates\n/);
    holder.kill();
    await done(tree, 'renew', 'apiserver', '--lock-timeout', '60s');
  });

  test('nobody who may only look can take it', async (t) => {
    const setpriv = judge(t, 'setpriv');
    if (setpriv === undefined || !mayChown(t)) return;
    const tree = quickTree(t);
    chmodSync(tree.directory, 0o755);
    await done(tree, 'renew', 'apiserver');
    for (const path of locks(tree)) {
      const user = [setpriv, '--reuid=65534', '--regid=65534', '--clear-groups'];
      assert.notEqual(spawnSync(user[0] ?? '', [...user.slice(1), 'flock', '-s', path, 'true']).status, 0);
    }
  });

  test('where the directory is taken away meanwhile, the run that waits takes the lock of the new one', async (t) => {
    const tree = quickTree(t);
    const holder = await holdLock(t, lockFile(tree));
    if (holder === undefined) return;
    const waiting = certs(tree, 'renew', 'apiserver', '--lock-timeout', '5m');
    renameSync(stateDirectory(tree), `${stateDirectory(tree)}.away`);
    const outcome = await waiting;
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.ok(existsSync(locks(tree)[0] ?? ''));
  });
});

describe('the program flock', () => {
  function scripts(t: TestContext, flock: string): string {
    const programs = temporaryDirectory(t);
    writeFileSync(join(programs, 'flock'), flock, { mode: 0o755 });
    return programs;
  }

  test('that takes no lock and says that it has is found out: exit 1, and nothing changes', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    const programs = scripts(t, '#!/bin/sh\nexit 0\n');
    const args = ['certs', 'renew', 'apiserver', '--rootfs', tree.directory];
    const outcome = await kubepki(args, { programs });
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.match(
      outcome.stderr,
      /^error: .*\/lock: the program flock says that it has taken the lock, and has not\nhint: /,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('of the PATH is not run', async (t) => {
    const tree = quickTree(t);
    const marker = join(tree.directory, 'was-run');
    const PATH = `${scripts(t, `#!/bin/sh\ntouch '${marker}'\n`)}:${process.env['PATH'] ?? ''}`;
    const outcome = await kubepki(['certs', 'renew', 'apiserver', '--rootfs', tree.directory], {
      env: { PATH },
    });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(existsSync(marker), false);
  });

  // Bun starts a child without a pipe that strace could fail; what is said is decided in one place for both runtimes.
  for (const [error, said] of isExecutable
    ? []
    : ([
        ['EMFILE', 'too many files are open in this process'],
        ['ENFILE', 'too many files are open on this machine'],
      ] as const)) {
    test(`is not called missing when ${said}`, (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const tree = quickTree(t);
      const log = join(temporaryDirectory(t), 'log');
      const run = (...inject: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(
          strace,
          [
            ...['-o', log, '-e', 'trace=pipe2,openat', ...inject, ...kubepkiCommand],
            ...['certs', 'renew', 'apiserver', '--rootfs', tree.directory],
          ],
          { encoding: 'utf8' },
        );
      assert.equal(run().status, 0);
      const before = snapshot(tree.directory);
      const calls = readFileSync(log, 'utf8').split('\n');
      const opened = calls.findIndex((line) => line.includes('.kubepki/lock'));
      // The pipes by which a child is started come after the lock file is open.
      const when = calls.slice(0, opened).filter((line) => line.startsWith('pipe2(')).length + 1;
      const outcome = run('-e', `inject=pipe2:error=${error}:when=${String(when)}+`);
      assert.deepEqual([outcome.status, outcome.stdout], [1, '']);
      assert.match(String(outcome.stderr), new RegExp(`^error: /\\S*/flock: ${said}\nhint: `));
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }
});

describe('a change that was interrupted', () => {
  test('through a bind mount is known on the node, and brought to its end there', async (t) => {
    const mounts = mountsFor(t);
    if (mounts === undefined) return;
    const tree = quickTree(t);
    const mounted = join(temporaryDirectory(t), 'pki');
    mkdirSync(mounted);
    mounts.bind(tree.certDir, mounted);
    const flags = ['--cert-dir', mounted, '--kubeconfig-dir', tree.kubeconfigDir];
    const before = halfRenewed(t, tree, flags);
    if (before === undefined) return;
    assert.match((await certs(tree, 'check-expiration')).stderr, /^warning: an unfinished change is waiting/);
    assert.match((await done(tree, 'recover')).stderr, /its change was completed/);
    assert.equal(setState(before, snapshot(tree.directory)), 'new');
    requireTidy(tree);
  });

  test('below another root is brought to its end from this one', async (t) => {
    const tree = quickTree(t);
    const before = halfRenewed(t, tree, ['--rootfs', tree.directory]);
    if (before === undefined) return;
    const outcome = await kubepki(['certs', 'recover', '--cert-dir', tree.certDir]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.equal(setState(before, snapshot(tree.directory)), 'new');
    requireTidy(tree);
  });

  for (const discard of [[], ['--discard']]) {
    test(`with another kubeconfig dir: recover ${discard.join('')} is exit 9, touches nothing, and names the directory`, async (t) => {
      const tree = quickTree(t);
      const other = quickTree(t);
      const before = halfRenewed(t, tree, ['--rootfs', tree.directory]);
      if (before === undefined) return;
      const half = [snapshot(tree.directory), snapshot(other.directory)] as const;
      const place = ['--cert-dir', tree.certDir, '--kubeconfig-dir', other.kubeconfigDir];
      const outcome = await kubepki(['certs', 'recover', ...discard, ...place]);
      assert.deepEqual([outcome.code, outcome.stdout], [9, '']);
      const { kubeconfigDir } = tree;
      assert.ok(
        outcome.stderr.startsWith(`error: ${kubeconfigDir}/admin.conf: cannot be reached: `),
        outcome.stderr,
      );
      assert.deepEqual(changes(half[0], snapshot(tree.directory), { inodes: true }), []);
      assert.deepEqual(changes(half[1], snapshot(other.directory), { inodes: true }), []);
      const hint = /\nhint: name the directory: kubepki ([^;\n]+)/.exec(outcome.stderr)?.[1] ?? '';
      const next = await kubepki(hint.split(' '));
      assert.equal(next.code, 0, next.stderr);
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
      requireTidy(tree);
    });
  }

  test('with a file elsewhere that is not mounted is left alone until it is', async (t) => {
    const tree = quickTree(t);
    const elsewhere = join(tree.directory, 'srv/keys');
    mkdirSync(elsewhere, { recursive: true });
    renameSync(join(tree.certDir, 'front-proxy-client.key'), join(elsewhere, 'a.key'));
    symlinkSync('../../../srv/keys/a.key', join(tree.certDir, 'front-proxy-client.key'));
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    killedAfter(strace, 2, ['certs', 'renew', 'all', '--rootfs', tree.directory]);
    renameSync(elsewhere, `${elsewhere}.away`);
    const half = snapshot(tree.directory);
    const outcome = await certs(tree, 'recover');
    assert.deepEqual([outcome.code, outcome.stdout], [9, '']);
    assert.match(
      outcome.stderr,
      /^error: \S+\/front-proxy-client\.key: cannot be reached: its directory is not there\nhint: mount it/,
    );
    assert.deepEqual(changes(half, snapshot(tree.directory), { inodes: true }), []);
    renameSync(`${elsewhere}.away`, elsewhere);
    await done(tree, 'recover');
    assert.deepEqual(staged(tree), []);
  });

  test('and given up leaves no staged file, though its journal cannot be understood', async (t) => {
    const tree = quickTree(t);
    if (halfRenewed(t, tree, ['--rootfs', tree.directory]) === undefined) return;
    writeFileSync(join(stateDirectory(tree), 'journal.json'), '{}');
    assert.equal((await certs(tree, 'recover')).code, 9);
    const half = snapshot(tree.directory);
    await done(tree, 'recover', '--discard');
    assert.deepEqual(staged(tree), []);
    const others = changes(half, snapshot(tree.directory)).filter((line) => !line.includes('.kubepki'));
    assert.deepEqual(others, []);
  });
});

describe('an error while tidying up, once every file is in place', () => {
  for (const [what, call, path] of [
    ['a directory is flushed', 'fsync', (tree: Tree) => tree.certDir],
    ['the journal is removed', 'unlink', (tree: Tree) => join(stateDirectory(tree), 'journal.json')],
  ] as const) {
    test(`${what}: the change is made, exit 0 with a warning, and the next run tidies up`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const tree = quickTree(t);
      const log = join(temporaryDirectory(t), 'log');
      const run = (...inject: string[]): ReturnType<typeof spawnSync> =>
        spawnSync(
          strace,
          [
            ...['-o', log, '-P', path(tree), '-e', `trace=${call}`, ...inject, ...kubepkiCommand],
            ...['certs', 'renew', 'all', '--rootfs', tree.directory],
          ],
          { encoding: 'utf8' },
        );
      assert.equal(run().status, 0);
      const when = readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line.startsWith(call)).length;
      const before = snapshot(tree.directory);
      const outcome = run('-e', `inject=${call}:error=EIO:when=${String(when)}`);
      assert.equal(outcome.status, 0, String(outcome.stderr));
      assert.match(
        String(outcome.stderr),
        /^warning: the change is made, but not tidied up after, which the next run does: .*: i\/o error$/m,
      );
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
      await done(tree, 'recover');
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
      requireTidy(tree);
    });
  }
});

test('a backup whose number is out of reach is damaged itself, and goes in its turn', async (t) => {
  const tree = quickTree(t);
  await done(tree, 'renew', 'apiserver');
  const backups = join(stateDirectory(tree), 'backups');
  const manifest = join(backups, readdirSync(backups)[0] ?? '', 'manifest.json');
  const text = readFileSync(manifest, 'utf8');
  writeFileSync(manifest, text.replace('"sequence": 1,', '"sequence": 9007199254740991,'));
  await done(tree, 'renew', 'apiserver');
  await done(tree, 'rollback');
  await done(tree, 'renew', 'apiserver', '--keep-backups', '1');
  assert.equal(readdirSync(backups).length, 1);
});

describe('generate, in directories that are not there', () => {
  test('takes them away again with its lock when it makes nothing, and keeps them otherwise', async (t) => {
    const root = temporaryDirectory(t);
    const run = (...args: string[]): ReturnType<typeof kubepki> =>
      kubepki(['certs', 'generate', ...args, '--rootfs', root]);
    assert.equal((await run('apiserver')).code, 1);
    assert.deepEqual(everything(root), []);
    assert.equal((await run('ca')).code, 0);
    assert.ok(existsSync(join(root, 'etc/kubernetes/pki/.kubepki/lock')));
    assert.ok(existsSync(join(root, 'etc/kubernetes/pki/ca.key')));
  });
});
