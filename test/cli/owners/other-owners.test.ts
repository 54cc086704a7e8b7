/** Directories and files of somebody else: root renews them and they stay theirs; kubepki's own state is nobody else's. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireTidy, setState } from '../../faults/invariants.ts';
import { traced } from '../../faults/strace.ts';
import { allComponents, changeNote } from '../../support/change-note.ts';
import { judge } from '../../support/judge.ts';
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
const stranger = 12345;
const group = 54321;
const stateDir = (tree: Tree): string => join(tree.certDir, '.kubepki');
const certs = (tree: Tree, ...args: string[]): ReturnType<typeof kubepki> =>
  kubepki(['certs', ...args, '--rootfs', tree.directory]);

function strangersTree(t: TestContext): Tree {
  const tree = copyFixture(t, role);
  assert.equal(spawnSync('chown', ['-R', `${String(stranger)}:${String(group)}`, tree.directory]).status, 0);
  return tree;
}

describe("a tree of somebody else's", () => {
  test('is renewed and rolled back by root: every file keeps its owner and its mode', async (t) => {
    if (!mayChown(t)) return;
    const tree = strangersTree(t);
    chmodSync(join(tree.certDir, 'etcd/server.key'), 0o640);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'all');
    assert.deepEqual([outcome.code, outcome.stderr], [0, changeNote(t, tree, { restart: allComponents })]);
    const after = snapshot(tree.directory);
    assert.equal(setState(before, after), 'new');
    // Only contents: the owner and the mode would be named here.
    for (const line of fileChanges(before, after)) assert.match(line, /^~ \S+ content$/);
    for (const [path, { type, mode, uid, gid }] of after) {
      if (!path.includes('/kubepki')) continue;
      assert.deepEqual([mode, uid, gid], [type === 'directory' ? '0700' : '0600', 0, 0], path);
    }
    assert.ok(after.has('etc/kubernetes/pki/.kubepki/backups'));
    requireTidy(tree);
    assert.equal((await certs(tree, 'rollback')).code, 0);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
  });

  test('what root has taken over since is not given back by a rollback, and what is gone is', async (t) => {
    if (!mayChown(t)) return;
    const tree = copyFixture(t, role);
    const key = join(tree.certDir, 'apiserver.key');
    const conf = join(tree.kubeconfigDir, 'scheduler.conf');
    const lost = join(tree.certDir, 'etcd/peer.key');
    for (const path of [key, conf, lost]) chownSync(path, stranger, group);
    chmodSync(conf, 0o640);
    const before = snapshot(tree.directory);
    assert.equal((await certs(tree, 'renew', 'all')).code, 0);
    chownSync(key, 0, 0);
    chmodSync(key, 0o400);
    rmSync(lost);
    const outcome = await certs(tree, 'rollback');
    assert.equal(outcome.code, 0, outcome.stderr);
    const said = `warning: ${key}: stays with uid 0; it belonged to uid ${String(stranger)} then\n`;
    assert.ok(outcome.stderr.includes(said), outcome.stderr);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), [
      `~ etc/kubernetes/pki/apiserver.key mode 0600 -> 0400 owner ${String(stranger)}:${String(group)} -> 0:0`,
    ]);
  });

  test('a certificate without its key is not renewed: who put it there never had the key', async (t) => {
    if (!mayChown(t)) return;
    const tree = strangersTree(t);
    const key = join(tree.certDir, 'apiserver.key');
    rmSync(key);
    const refused = await certs(tree, 'renew', 'apiserver');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /^error: .*apiserver\.crt: the certificate apiserver has no private key beside it, .* uid \d+, whose file this is/,
    );
    // In files of root's a lost key is replaced.
    chownSync(join(tree.certDir, 'apiserver.crt'), 0, 0);
    assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
    const { mode, uid, gid } = statSync(key);
    assert.deepEqual([mode & 0o7777, uid, gid], [0o600, 0, 0]);
  });

  test('a new key is given away, and opened to its group, before there is anything in it', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined || !mayChown(t)) return;
    const tree = strangersTree(t);
    chmodSync(join(tree.certDir, 'apiserver.key'), 0o640);
    const args = ['certs', 'renew', 'apiserver', '--rootfs', tree.directory];
    const run = await traced(strace, args, temporaryDirectory(t));
    assert.equal(run.code, 0, run.stderr);
    // On its descriptor; the journal names it as well.
    const calls = run.log
      .filter((line) =>
        /^(?:openat\(AT_FDCWD<[^>]*>, "|\w+\(\d+<)[^">]*\/\.apiserver\.key\.kubepki-/.test(line),
      )
      .map((line) => line.replace(/^(\w+)\([^,)]*/, '$1('));
    const expected = [
      /^openat\(, .*O_CREAT\|O_EXCL.*, 0600\) = /,
      /^fchown\(, 12345, 54321\) = 0/,
      /^fchmod\(, 0640\) = 0/,
      /^pwrite64\(/,
      /^fsync\(/,
    ];
    for (const [index, call] of expected.entries()) assert.match(calls[index] ?? '', call);
  });
});

describe('a state directory', () => {
  const open =
    'is not a directory that only you can write to, and kubepki keeps its journal there\nhint: find out who made it, then move it away';
  const table: readonly { what: string; make: (state: string) => void; said: string | RegExp }[] = [
    {
      what: 'of somebody else',
      said: /: belongs to uid \d+, not to you, and kubepki keeps its journal there\nhint: run it as that user; or, if nothing of it is needed any more: mv (\S+) \1\.old\n$/,
      make: (state) => {
        mkdirSync(state, { mode: 0o700 });
        chownSync(state, stranger, stranger);
      },
    },
    {
      what: 'that a group can write to',
      said: open,
      make: (state) => {
        mkdirSync(state);
        chmodSync(state, 0o770);
      },
    },
    {
      what: 'that everybody but the group can write to',
      said: open,
      make: (state) => {
        mkdirSync(state);
        chmodSync(state, 0o702);
      },
    },
  ];
  for (const { what, make, said } of table) {
    for (const name of ['.kubepki', '.kubepki/backups']) {
      test(`${name} ${what} is refused, and nothing changes`, async (t) => {
        if (!mayChown(t)) return;
        const tree = copyFixture(t, role);
        if (name !== '.kubepki') mkdirSync(stateDir(tree), { mode: 0o700 });
        make(join(tree.certDir, name));
        // Not empty: an empty directory of ours is removed.
        mkdirSync(join(tree.certDir, name, 'theirs'));
        const before = snapshot(tree.directory);
        const outcome = await certs(tree, 'renew', 'all');
        assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
        const path = join(tree.certDir, name);
        if (typeof said === 'string') assert.equal(outcome.stderr, `error: ${path}: ${said}\n`);
        else assert.match(outcome.stderr, said);
        assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      });
    }
  }

  test('in which somebody else has put a journal: exit 9, and what it says is not done', async (t) => {
    if (!mayChown(t)) return;
    const tree = copyFixture(t, role);
    const victim = join(tree.certDir, 'front-proxy-ca.crt');
    const sha256 = createHash('sha256').update(readFileSync(victim)).digest('hex');
    const file = { in: 'cert-dir', path: 'front-proxy-ca.crt' };
    const stagedPath = { in: 'cert-dir', path: '.front-proxy-ca.crt.kubepki-0123456789ab' };
    const journal = {
      ...{ version: 1, origin: { certDir: '/etc/kubernetes/pki', kubeconfigDir: null }, status: 'committed' },
      ...{ id: '2026-11-24T115216.578Z-899d63', command: 'kubepki certs renew all', directories: [] },
      // It would be removed.
      entries: [{ path: file, resolvedPath: file, stagedPath, before: sha256, after: null }],
    };
    mkdirSync(stateDir(tree), { mode: 0o700 });
    const path = join(stateDir(tree), 'journal.json');
    writeFileSync(path, JSON.stringify(journal), { mode: 0o600 });
    chownSync(path, 65534, 65534);
    const before = snapshot(tree.directory);
    for (const command of [['recover'], ['renew', 'all']]) {
      const outcome = await certs(tree, ...command);
      assert.deepEqual([outcome.code, outcome.stdout], [9, '']);
      assert.ok(outcome.stderr.startsWith(`error: ${path}: belongs to uid 65534, `), outcome.stderr);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    }
    // The same of root's is one to go by.
    chownSync(path, 0, 0);
    assert.equal((await certs(tree, 'recover')).code, 0);
    assert.equal(existsSync(victim), false);
  });
});
