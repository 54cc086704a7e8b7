/**
 * Another program that takes no lock (kubeadm, a person) changes a target while a renewal is at work: what it wrote stands,
 * and the renewal changes nothing. The run is stopped in its tracks, so that "while" is no matter of luck.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireTidy } from '../../faults/invariants.ts';
import { stopped, type Moment } from '../../faults/stopped.ts';
import { judge } from '../../support/judge.ts';
import { kubepki, type Outcome } from '../../support/kubepki.ts';
import { changes, copyFixture, fileChanges, fixturePath, snapshot, type Tree } from '../../support/tree.ts';

const role = 'ipv6';
const stateDir = (tree: Tree): string => join(tree.certDir, '.kubepki');

/** From the reading of the targets to the first rename of one. */
const moments: readonly { readonly what: string; readonly at: (tree: Tree) => Moment }[] = [
  {
    what: 'nothing is staged yet',
    at: (tree) => ({ call: 'fsync', path: join(stateDir(tree), 'journal.json.new'), nth: 1 }),
  },
  {
    what: 'the new files are staged',
    at: (tree) => ({ call: 'fsync', path: join(tree.certDir, 'etcd'), nth: 1 }),
  },
  {
    what: 'the old files are in the backup',
    at: (tree) => ({ call: 'fsync', path: join(stateDir(tree), 'backups'), nth: 1 }),
  },
  {
    what: 'the journal is about to be committed',
    at: (tree) => ({ call: 'fsync', path: join(stateDir(tree), 'journal.json.new'), nth: 2 }),
  },
  {
    what: 'the journal is committed, and no file is renamed yet',
    // Before: the journal, the directory of the backups.
    at: (tree) => ({ call: 'fsync', path: stateDir(tree), nth: 3 }),
  },
];

/** As kubeadm writes (os.WriteFile): the key, then the certificate, each truncated and written in its place. */
function renewLikeKubeadm(tree: Tree, name: string): void {
  for (const end of ['key', 'crt']) {
    const other = fixturePath('stacked-etcd-ecdsa', `etc/kubernetes/pki/${name}.${end}`);
    writeFileSync(join(tree.certDir, `${name}.${end}`), readFileSync(other));
  }
}

async function renewAllBut(
  t: TestContext,
  tree: Tree,
  at: (tree: Tree) => Moment,
  meanwhile: () => void,
): Promise<Outcome | undefined> {
  const strace = judge(t, 'strace');
  if (strace === undefined) return undefined;
  const run = await stopped(t, strace, tree, ['renew', 'all'], at(tree));
  meanwhile();
  return run.resume();
}

function requireConflict(outcome: Outcome, path: string): void {
  assert.deepEqual([outcome.code, outcome.stdout], [1, ''], outcome.stderr);
  assert.equal(
    outcome.stderr,
    `error: ${path}: was changed by somebody else in the meantime\nhint: run the command again\n`,
  );
}

for (const { what, at } of moments) {
  describe(`when ${what}`, () => {
    test('a pair that kubeadm renews is its own, and no other file changes', async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      const outcome = await renewAllBut(t, tree, at, () => {
        renewLikeKubeadm(tree, 'etcd/server');
      });
      if (outcome === undefined) return;
      requireConflict(outcome, join(tree.certDir, 'etcd/server.key'));
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), [
        '~ etc/kubernetes/pki/etcd/server.crt content',
        '~ etc/kubernetes/pki/etcd/server.key content',
      ]);
      for (const end of ['key', 'crt']) {
        assert.deepEqual(
          readFileSync(join(tree.certDir, `etcd/server.${end}`)),
          readFileSync(fixturePath('stacked-etcd-ecdsa', `etc/kubernetes/pki/etcd/server.${end}`)),
        );
      }
    });

    test('a file that becomes a symlink to the same content is not replaced, nor where it leads', async (t) => {
      const tree = copyFixture(t, role);
      const path = join(tree.kubeconfigDir, 'scheduler.conf');
      const moved = join(tree.directory, 'scheduler.conf');
      const old = readFileSync(path, 'utf8');
      const before = snapshot(tree.directory);
      const outcome = await renewAllBut(t, tree, at, () => {
        renameSync(path, moved);
        symlinkSync('/scheduler.conf', path);
      });
      if (outcome === undefined) return;
      requireConflict(outcome, path);
      assert.equal(readFileSync(moved, 'utf8'), old);
      assert.deepEqual(changes(before, snapshot(tree.directory)), [
        '~ etc/kubernetes/scheduler.conf file -> link content link - -> /scheduler.conf mode 0600 -> 0777',
        '+ scheduler.conf 0600',
      ]);
    });

    test('a file that is removed stays away', async (t) => {
      const tree = copyFixture(t, role);
      const path = join(tree.certDir, 'front-proxy-client.crt');
      const before = snapshot(tree.directory);
      const outcome = await renewAllBut(t, tree, at, () => {
        rmSync(path);
      });
      if (outcome === undefined) return;
      requireConflict(outcome, path);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), [
        '- etc/kubernetes/pki/front-proxy-client.crt',
      ]);
    });

    test('a file that appears where none was is not replaced', async (t) => {
      const tree = copyFixture(t, role);
      const path = join(tree.certDir, 'apiserver.key');
      rmSync(path);
      const before = snapshot(tree.directory);
      const outcome = await renewAllBut(t, tree, at, () => {
        writeFileSync(path, 'theirs', { mode: 0o600 });
      });
      if (outcome === undefined) return;
      requireConflict(outcome, path);
      assert.equal(readFileSync(path, 'utf8'), 'theirs');
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), [
        '+ etc/kubernetes/pki/apiserver.key 0600',
      ]);
    });
  });
}

describe('when some of the new files are in place', () => {
  test('a pair that kubeadm renews is not replaced: exit 9, --discard leaves it, and the next run renews all', async (t) => {
    const tree = copyFixture(t, role);
    // The journal, the journal committed, and two files.
    const at = (): Moment => ({ call: 'rename', nth: 4 });
    const before = snapshot(tree.directory);
    const outcome = await renewAllBut(t, tree, at, () => {
      renewLikeKubeadm(tree, 'etcd/server');
    });
    if (outcome === undefined) return;
    const path = join(tree.certDir, 'etcd/server.key');
    assert.deepEqual([outcome.code, outcome.stdout], [9, '']);
    assert.ok(
      outcome.stderr.startsWith(`error: the change stopped half-way: ${path}: was changed by somebody else`),
      outcome.stderr,
    );
    assert.match(outcome.stderr, /\nhint: .*kubepki certs recover --discard /);
    const theirs = readFileSync(path, 'utf8');
    const discarded = await kubepki(['certs', 'recover', '--discard', '--rootfs', tree.directory]);
    assert.equal(discarded.code, 0, discarded.stderr);
    assert.equal(readFileSync(path, 'utf8'), theirs);
    requireTidy(tree);
    assert.equal(readdirSync(join(stateDir(tree), 'backups')).length, 1);
    assert.ok(fileChanges(before, snapshot(tree.directory)).every((line) => line.endsWith(' content')));
    // Theirs is of another fixture's CA.
    for (const names of [['etcd-server', '--force'], ['all']]) {
      const next = await kubepki(['certs', 'renew', ...names, '--rootfs', tree.directory]);
      assert.equal(next.code, 0, next.stderr);
    }
  });
});
