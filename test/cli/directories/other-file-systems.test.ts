/** Other file systems in place of a directory or of a file: staged beside the target, or taken back completely. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { requireSound, requireTidy, setState } from '../../faults/invariants.ts';
import { killedAfter } from '../../faults/killed.ts';
import { allComponents, changeNote } from '../../support/change-note.ts';
import { judge } from '../../support/judge.ts';
import { mountsFor, type Mounts } from '../../support/machine/mounts.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  snapshot,
  temporaryDirectory,
  type Tree,
} from '../../support/tree.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const role = 'ipv6';
const certs = (tree: Tree, ...args: string[]): ReturnType<typeof kubepki> =>
  kubepki(['certs', ...args, '--rootfs', tree.directory]);

/** Puts a file system of its own in a directory's place, with what was in it. */
function moveOntoTmpfs(mounts: Mounts, tree: Tree, directory: string, options?: string): void {
  const { dev } = statSync(directory);
  const content = join(tree.directory, 'content');
  cpSync(directory, content, { recursive: true, preserveTimestamps: true });
  mounts.tmpfs(directory, options);
  cpSync(content, directory, { recursive: true, preserveTimestamps: true });
  rmSync(content, { recursive: true });
  assert.notEqual(statSync(directory).dev, dev);
}

describe('a directory on another file system', () => {
  for (const [what, of] of [
    ['etcd/', ({ certDir }: Tree) => join(certDir, 'etcd')],
    ['the cert dir', ({ certDir }: Tree) => certDir],
  ] as const) {
    test(`${what}: renewed, rolled back, and recovered after a crash between the two`, async (t) => {
      const strace = judge(t, 'strace');
      const mounts = mountsFor(t);
      if (mounts === undefined || strace === undefined) return;
      const tree = copyFixture(t, role);
      moveOntoTmpfs(mounts, tree, of(tree));
      const before = snapshot(tree.directory);
      const outcome = await certs(tree, 'renew', 'all');
      assert.deepEqual([outcome.code, outcome.stderr], [0, changeNote(t, tree, { restart: allComponents })]);
      for (const line of fileChanges(before, snapshot(tree.directory))) assert.match(line, /^~ \S+ content$/);
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
      requireTidy(tree);
      assert.equal((await certs(tree, 'rollback')).code, 0);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);

      // Killed at the first file of etcd/: some of the set are new by then.
      killedAfter(strace, 8, ['certs', 'renew', 'all', '--rootfs', tree.directory]);
      const mixed = fileChanges(before, snapshot(tree.directory)).filter((line) => line.startsWith('~'));
      assert.equal(mixed.length, 8, mixed.join('\n'));
      assert.ok(mixed.every((line) => !line.includes('/etcd/')));
      assert.equal((await certs(tree, 'recover')).code, 0);
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
      requireSound(tree, join(temporaryDirectory(t), 'sound'));
      requireTidy(tree);
    });
  }

  test('etcd/ alone is full: exit 1, and everything is as before', async (t) => {
    const mounts = mountsFor(t);
    if (mounts === undefined) return;
    const tree = copyFixture(t, role);
    const etcd = join(tree.certDir, 'etcd');
    moveOntoTmpfs(mounts, tree, etcd, 'size=256k,mode=0755');
    const { bavail, bsize } = statfsSync(etcd);
    writeFileSync(join(etcd, 'filler'), Buffer.alloc(bavail * bsize));
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'all');
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.equal(
      outcome.stderr,
      `error: ${join(etcd, 'healthcheck-client.key')}: no space left on device\nhint: make room and run the command again\n`,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe('a file that another one is mounted on cannot be replaced', () => {
  for (const name of ['apiserver.crt', 'etcd/server.key', '../admin.conf']) {
    test(`${name}: everything is put back, and the error says which file and why`, async (t) => {
      const mounts = mountsFor(t);
      if (mounts === undefined) return;
      const tree = copyFixture(t, role);
      const path = join(tree.certDir, name);
      const source = join(tree.directory, 'mounted');
      cpSync(path, source, { preserveTimestamps: true });
      mounts.bind(source, path);
      const before = snapshot(tree.directory);
      const dry = await certs(tree, 'renew', 'all', '--dry-run');
      assert.deepEqual([dry.code, dry.stderr], [0, '']);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      const outcome = await certs(tree, 'renew', 'all');
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.equal(
        outcome.stderr,
        `error: the new files could not be put in place, so the old ones were put back: ${path}: is busy: something may be mounted on it\n`,
      );
      // Nothing staged, no journal, no backup: not even the state directory is left.
      assert.deepEqual(changes(before, snapshot(tree.directory)), []);
      assert.equal(readFileSync(source, 'utf8'), readFileSync(path, 'utf8'));
      // The others can be renewed.
      assert.equal((await certs(tree, 'renew', 'front-proxy-client')).code, 0);
    });
  }
});
