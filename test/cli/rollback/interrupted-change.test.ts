import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { killedAfter } from '../../faults/killed.ts';
import { until } from '../../support/deadline.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, kubepkiCommand } from '../../support/kubepki.ts';
import { certs, done, quickTree, stateDirectory } from '../../support/node.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  fixturePath,
  snapshot,
  temporaryDirectory,
  type Tree,
} from '../../support/tree.ts';

describe('an interrupted change', () => {
  /** Stops a renewal for good at its third rename of a target: the journal is committed, some files are new. */
  function interrupted(t: TestContext, copy: Tree): boolean {
    const strace = judge(t, 'strace');
    if (strace === undefined) return false;
    killedAfter(strace, 2, ['certs', 'renew', 'all', '--rootfs', copy.directory]);
    return true;
  }

  test('is announced by check-expiration, which changes nothing, and completed by the next run that writes', async (t) => {
    const copy = quickTree(t);
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
    const copy = quickTree(t);
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
    const copy = quickTree(t);
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
    const left = [...snapshot(copy.directory).keys()].filter((one) =>
      /(?:^|\/)\.(?!kubepki(?:\/|$))|journal/.test(one),
    );
    assert.deepEqual(left, []);
    assert.equal(readdirSync(join(stateDirectory(copy), 'backups')).length, 1);
    // What was put there is of another CA.
    await done(copy, 'renew', 'etcd-server', '--force');
    assert.equal((await certs(copy, 'renew', 'all')).code, 0);
  });

  test('recover --dry-run says what recover would do, and does nothing', async (t) => {
    const copy = quickTree(t);
    if (!interrupted(t, copy)) return;
    const before = snapshot(copy.directory);
    const forward = await done(copy, 'recover', '--dry-run');
    assert.match(
      forward.stdout,
      /^would complete: kubepki certs renew all --rootfs .*\n(?: {2}\/.*\n){17}nothing/,
    );
    const givenUp = await done(copy, 'recover', '--discard', '--dry-run');
    assert.match(givenUp.stdout, /^would give up, leaving every file as it is: kubepki certs renew all /);
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
    const staged =
      [...before.keys()].find((path) => path.includes('.scheduler.conf.kubepki-')) ?? assert.fail();
    writeFileSync(join(copy.directory, staged), 'damaged');
    const back = await done(copy, 'recover', '--dry-run');
    assert.match(back.stdout, /^would take back: kubepki certs renew all /);
  });

  test('is completed in another place too: a rescue system has the disk of the node elsewhere', async (t) => {
    const copy = quickTree(t);
    const original = snapshot(copy.directory);
    if (!interrupted(t, copy)) return;
    const mounted = join(temporaryDirectory(t), 'mnt');
    mkdirSync(mounted);
    renameSync(join(copy.directory, 'etc'), join(mounted, 'etc'));
    const outcome = await done({ ...copy, directory: mounted }, 'recover');
    assert.match(outcome.stderr, /its change was completed/);
    assert.equal(fileChanges(original, snapshot(mounted)).filter((line) => line.startsWith('~')).length, 17);
  });

  test('is completed where both directories were moved to, with no root of their own', async (t) => {
    const copy = quickTree(t);
    const original = snapshot(copy.kubeconfigDir);
    if (!interrupted(t, copy)) return;
    const moved = join(temporaryDirectory(t), 'moved');
    renameSync(copy.kubeconfigDir, moved);
    const outcome = await kubepki(['certs', 'recover', '--cert-dir', join(moved, 'pki')]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /its change was completed/);
    assert.equal(fileChanges(original, snapshot(moved)).length, 17);
  });

  test("a target that has become a symlink since is somebody else's", async (t) => {
    const copy = quickTree(t);
    if (!interrupted(t, copy)) return;
    const path = join(copy.certDir, 'etcd/server.crt');
    renameSync(path, `${path}.real`);
    symlinkSync('server.crt.real', path);
    const before = snapshot(copy.directory);
    const outcome = await certs(copy, 'recover');
    assert.equal(outcome.code, 9);
    assert.ok(outcome.stderr.startsWith(`error: ${path}: was changed by somebody else`), outcome.stderr);
    assert.deepEqual(fileChanges(before, snapshot(copy.directory), { inodes: true }), []);
  });

  test('SIGTERM during key generation leaves nothing behind, exit 143', async (t) => {
    const copy = copyFixture(t, 'stacked-etcd-rsa');
    writeFileSync(
      join(copy.directory, 'kubeadm.yaml'),
      'apiVersion: kubeadm.k8s.io/v1beta4\nkind: ClusterConfiguration\nencryptionAlgorithm: RSA-4096\n',
    );
    const before = snapshot(copy.directory);
    const [program, ...words] = kubepkiCommand;
    const child = spawn(
      program,
      [...words, 'certs', 'renew', 'all', '--rootfs', copy.directory, '--config', '/kubeadm.yaml'],
      { stdio: 'ignore' },
    );
    const ended = new Promise((resolve) => child.once('close', resolve));
    // The lock is taken before the first key is begun; ten keys of RSA-4096 take seconds.
    const lock = join(stateDirectory(copy), 'lock');
    await until(
      () => (existsSync(lock) && readFileSync(lock, 'utf8').includes('renew all') ? true : undefined),
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
