/** Targets that are links: symlinks stay and lead to the new file, hard links keep the old one. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { allComponents, changeNote } from '../../support/change-note.ts';
import { requireTidy } from '../../faults/invariants.ts';
import { mountsFor } from '../../support/machine/mounts.ts';
import { mayChown } from '../../support/root.ts';
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

/** Moves a file below the rootfs and leaves a symlink in its place. */
function moveAway(tree: Tree, path: string, to: string, target: string): void {
  const place = join(tree.directory, to);
  mkdirSync(dirname(place), { recursive: true });
  renameSync(path, place);
  symlinkSync(target, path);
}

interface Row {
  readonly what: string;
  /** Puts the link there. */
  readonly link: (tree: Tree, key: string) => void;
  /** Where the key is then, below the rootfs. */
  readonly leadsTo: string;
}

const table: readonly Row[] = [
  {
    what: 'relative',
    link: (tree, key) => {
      moveAway(tree, key, 'srv/a.key', '../../../srv/a.key');
    },
    leadsTo: 'srv/a.key',
  },
  {
    what: 'absolute',
    link: (tree, key) => {
      moveAway(tree, key, 'srv/a.key', '/srv/a.key');
    },
    leadsTo: 'srv/a.key',
  },
  {
    what: 'through two more and a linked directory',
    link: (tree, key) => {
      moveAway(tree, key, 'srv/keys/a.key', '/first');
      symlinkSync('etc/second', join(tree.directory, 'first'));
      symlinkSync('../linked/a.key', join(tree.directory, 'etc/second'));
      symlinkSync('/srv/keys', join(tree.directory, 'linked'));
    },
    leadsTo: 'srv/keys/a.key',
  },
];

function requireLinkStays(link: string, target: string): void {
  assert.ok(lstatSync(link).isSymbolicLink());
  assert.equal(readlinkSync(link), target);
}

describe('a symlink to elsewhere', () => {
  for (const { what, link, leadsTo } of table) {
    test(`${what}: stays; the file it leads to is replaced in its place, and brought back there`, async (t) => {
      const tree = copyFixture(t, role);
      const key = join(tree.certDir, 'apiserver.key');
      link(tree, key);
      const target = readlinkSync(key);
      chmodSync(join(tree.directory, leadsTo), 0o640);
      const before = snapshot(tree.directory);
      const outcome = await certs(tree, 'renew', 'apiserver');
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory), { inodes: true }), [
        '~ etc/kubernetes/pki/apiserver.crt content inode',
        `~ ${leadsTo} content inode`,
      ]);
      requireLinkStays(key, target);
      requireTidy(tree);
      assert.equal((await certs(tree, 'rollback')).code, 0);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
      requireLinkStays(key, target);
    });
  }

  test('onto another file system: the new file is made there, beside the old one', async (t) => {
    const mounts = mountsFor(t);
    if (mounts === undefined) return;
    const tree = copyFixture(t, role);
    const srv = join(tree.directory, 'srv');
    mkdirSync(srv);
    mounts.tmpfs(srv);
    const key = join(tree.certDir, 'apiserver.key');
    const moved = join(srv, 'a.key');
    // Not a rename: it is another file system.
    const content = readFileSync(key);
    rmSync(key);
    symlinkSync('/srv/a.key', key);
    writeFileSync(moved, content, { mode: 0o600 });
    assert.notEqual(statSync(moved).dev, statSync(tree.certDir).dev);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'apiserver');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/pki/apiserver.crt content',
      '~ srv/a.key content',
    ]);
    requireTidy(tree);
    assert.equal((await certs(tree, 'rollback')).code, 0);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    requireLinkStays(key, '/srv/a.key');
  });

  test('to nothing: the key is made where it leads, and rollback removes it from there', async (t) => {
    const tree = copyFixture(t, role);
    const key = join(tree.certDir, 'apiserver.key');
    mkdirSync(join(tree.directory, 'srv'));
    rmSync(key);
    symlinkSync('/srv/a.key', key);
    const before = snapshot(tree.directory);
    assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      '~ etc/kubernetes/pki/apiserver.crt content',
      '+ srv/a.key 0600',
    ]);
    requireTidy(tree);
    assert.equal((await certs(tree, 'rollback')).code, 0);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    requireLinkStays(key, '/srv/a.key');
  });

  test('into a directory that does not exist: exit 1, and nothing changes', async (t) => {
    const tree = copyFixture(t, role);
    const key = join(tree.certDir, 'apiserver.key');
    rmSync(key);
    symlinkSync('/srv/nowhere/a.key', key);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'all');
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.equal(outcome.stderr, `error: ${key}: no such file or directory\n`);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe("somebody else's symlink", () => {
  const stranger = 12345;
  for (const [what, path] of [
    ['to a key', 'apiserver.key'],
    ['to a certificate', 'apiserver.crt'],
    ['to a directory', 'etcd'],
  ] as const) {
    test(`${what} is refused by name, in a dry run too, until it is made ours as the hint says`, async (t) => {
      if (!mayChown(t)) return;
      const tree = copyFixture(t, role);
      const link = join(tree.certDir, path);
      moveAway(tree, link, 'srv/moved', '/srv/moved');
      lchownSync(link, stranger, stranger);
      const before = snapshot(tree.directory);
      for (const args of [
        ['renew', 'all'],
        ['renew', 'all', '--dry-run'],
      ]) {
        const outcome = await certs(tree, ...args);
        assert.deepEqual([outcome.code, outcome.stdout], [1, ''], args.join(' '));
        // Of a directory with a CA in it the rest can be renewed.
        assert.match(
          outcome.stderr,
          /^error: .*\nhint: .*: chown -h root .*\n(?:hint: nothing was changed; to renew the rest: .*\n)?$/,
        );
        assert.ok(
          outcome.stderr.includes(`: the symbolic link ${link} belongs to uid 12345, `),
          outcome.stderr,
        );
        assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      }
      lchownSync(link, 0, 0);
      assert.equal((await certs(tree, 'renew', 'all')).code, 0);
      // What is behind it since does not decide where a backup goes either.
      lchownSync(link, stranger, stranger);
      const renewed = snapshot(tree.directory);
      for (const args of [['rollback'], ['rollback', '--dry-run']]) {
        const outcome = await certs(tree, ...args);
        assert.deepEqual([outcome.code, outcome.stdout], [1, ''], args.join(' '));
        assert.match(outcome.stderr, /the symbolic link .* belongs to uid 12345/);
        assert.deepEqual(changes(renewed, snapshot(tree.directory), { inodes: true }), []);
      }
    });
  }
});

describe('a hard link', () => {
  test('to a key keeps the old one under its other name, and the warning names the key', async (t) => {
    const tree = copyFixture(t, role);
    const key = join(tree.certDir, 'etcd/server.key');
    const other = join(temporaryDirectory(t), 'other.key');
    linkSync(key, other);
    const old = readFileSync(key, 'utf8');
    const outcome = await certs(tree, 'renew', 'all');
    assert.equal(outcome.code, 0);
    assert.equal(
      outcome.stderr,
      `warning: ${key}: has other names (hard links), which keep the old content\n` +
        changeNote(t, tree, { restart: allComponents }),
    );
    assert.equal(readFileSync(other, 'utf8'), old);
    assert.notEqual(readFileSync(key, 'utf8'), old);
    assert.equal(statSync(other).nlink, 1);
  });
});
