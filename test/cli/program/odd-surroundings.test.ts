/** A process that was started without what one takes for granted. */
import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { requireSound, requireTidy, setState } from '../../faults/invariants.ts';
import { allComponents, changeNote } from '../../support/change-note.ts';
import { isExecutable, kubepki, kubepkiCommand } from '../../support/kubepki.ts';
import { runProgram, type ProgramOutcome } from '../../support/program.ts';
import { changes, copyFixture, snapshot, temporaryDirectory, type Tree } from '../../support/tree.ts';

const role = 'ipv6';

/** Runs a shell script that ends with `"$@"`, the real command on a tree. */
function throughShell(script: string, tree: Tree, ...args: string[]): Promise<ProgramOutcome> {
  const command = [...kubepkiCommand, 'certs', ...args, '--rootfs', tree.directory];
  return runProgram('/bin/sh', ['-c', script, 'sh', ...command]);
}

test('without the programs of the PATH all is as ever', async (t) => {
  const tree = copyFixture(t, role);
  const env = { PATH: temporaryDirectory(t) };
  const outcome = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory], { env });
  assert.deepEqual([outcome.code, outcome.stderr], [0, changeNote(t, tree, { restart: allComponents })]);
});

describe('a temporary directory', () => {
  for (const TMPDIR of ['/nonexistent/nowhere', '/dev/null', '/proc', '']) {
    test(`${JSON.stringify(TMPDIR)} is not needed`, async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      const outcome = await kubepki(['certs', 'renew', 'all', '--rootfs', tree.directory], {
        env: { TMPDIR },
      });
      assert.deepEqual([outcome.code, outcome.stderr], [0, changeNote(t, tree, { restart: allComponents })]);
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
    });
  }
});

for (const umask of ['000', '077']) {
  test(`with a umask of ${umask} new files and the state directory have the right modes`, async (t) => {
    const tree = copyFixture(t, role);
    const before = snapshot(tree.directory);
    rmSync(join(tree.certDir, 'apiserver.key'));
    const outcome = await throughShell(`umask ${umask}; exec "$@"`, tree, 'renew', 'all');
    assert.deepEqual([outcome.code, outcome.stderr], [0, changeNote(t, tree, { restart: allComponents })]);
    const after = snapshot(tree.directory);
    for (const [path, { type, mode }] of after) {
      const own = type === 'directory' ? '0700' : '0600';
      // Those that were there before keep theirs, and the new key has that of the one it had.
      assert.equal(mode, path.includes('/.kubepki') ? own : before.get(path)?.mode, path);
    }
    assert.equal(after.get('etc/kubernetes/pki/apiserver.key')?.mode, '0600');
  });
}

describe('with', () => {
  for (const [what, redirections, said] of [
    ['standard input closed', '<&-', { stdout: true, stderr: true }],
    ['standard output closed', '>&-', { stdout: false, stderr: true }],
    ['standard error closed', '2>&-', { stdout: true, stderr: false }],
    ['all three closed', '<&- >&- 2>&-', { stdout: false, stderr: false }],
  ] as const) {
    test(`${what} the files are renewed, and nothing else is written into them`, async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      // Without a name: it must not wait for an answer.
      const outcome = await throughShell(`exec "$@" ${redirections}`, tree, 'renew');
      const note = said.stderr ? changeNote(t, tree, { restart: allComponents }) : '';
      // The executable knows that the result is lost; node opens /dev/null in its place, as docs/exit-codes.md says.
      const isLost = isExecutable && !said.stdout && said.stderr;
      const error = isLost ? 'error: cannot write to standard output: it is closed\n' : '';
      assert.deepEqual([outcome.code, outcome.stderr], [isLost ? 8 : 0, `${error}${note}`]);
      assert.equal(outcome.stdout.includes('Done renewing'), said.stdout);
      assert.equal(setState(before, snapshot(tree.directory)), 'new');
      requireSound(tree, join(temporaryDirectory(t), 'sound'));
      requireTidy(tree);
    });
  }
});

describe('in a working directory that was removed', () => {
  const script = 'cd "$(mktemp -d)" && rmdir "$PWD" && exec "$@"';

  // Bun's runtime ends before any of the program runs; docs/install.md says so.
  if (isExecutable) {
    test('the executable says so, and does nothing', async (t) => {
      const tree = copyFixture(t, role);
      const before = snapshot(tree.directory);
      for (const words of [['check-expiration'], ['renew', 'all']]) {
        const outcome = await throughShell(script, tree, ...words);
        assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
        assert.match(outcome.stderr, /^error: The current working directory was deleted, .*\n$/);
      }
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
    return;
  }

  test('absolute paths work', async (t) => {
    const tree = copyFixture(t, role);
    const before = snapshot(tree.directory);
    assert.equal((await throughShell(script, tree, 'check-expiration')).code, 0);
    const outcome = await throughShell(script, tree, 'renew', 'all');
    assert.deepEqual([outcome.code, outcome.stderr], [0, changeNote(t, tree, { restart: allComponents })]);
    assert.equal(setState(before, snapshot(tree.directory)), 'new');
  });

  test('a relative one is an error that says so', async (t) => {
    const tree = copyFixture(t, role);
    const before = snapshot(tree.directory);
    const outcome = await throughShell(script, tree, 'renew', 'all', '--cert-dir', 'etc/kubernetes/pki');
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.equal(
      outcome.stderr,
      'error: etc/kubernetes/pki: is a relative path, and the working directory is gone\nhint: give an absolute path, or go to a directory that exists\n',
    );
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    assert.deepEqual(readdirSync(tree.directory), ['etc']);
  });
});
