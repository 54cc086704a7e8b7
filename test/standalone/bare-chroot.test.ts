/**
 * A chroot in which nothing is mounted. Without /proc the runtime ends before any of the program runs, and docs/install.md says how
 * that looks and what to do: this test says when it is no longer so.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { kubepkiCommand } from '../support/kubepki.ts';
import { mountsFor } from '../support/machine/mounts.ts';
import { runProgram, type ProgramOutcome } from '../support/program.ts';
import { changes, copyFixture, snapshot, type Tree } from '../support/tree.ts';

/** Without a core file: the signal is what is looked at. */
function inChroot({ directory }: Tree, ...words: string[]): Promise<ProgramOutcome> {
  return runProgram('/bin/sh', [
    '-c',
    'ulimit -c 0; exec /usr/sbin/chroot "$@"',
    'sh',
    directory,
    '/kubepki',
    ...words,
  ]);
}

test('in a bare chroot nothing is touched until what is missing is there', async (t) => {
  const mounts = mountsFor(t);
  if (mounts === undefined) return;
  const tree = copyFixture(t, 'ipv6');
  const inTree = (name: string): string => join(tree.directory, name);
  const before = snapshot(inTree('etc'));
  for (const system of ['usr', 'bin', 'lib', 'lib64'].filter((name) => existsSync(`/${name}`))) {
    mkdirSync(inTree(system));
    mounts.bind(`/${system}`, inTree(system));
    // Whatever becomes of this test's cleaning up.
    mounts.readOnly(inTree(system));
  }
  writeFileSync(inTree('kubepki'), '');
  mounts.bind(kubepkiCommand[0], inTree('kubepki'));
  mkdirSync(inTree('proc'));
  const renew = ['certs', 'renew', 'all', '--offline'];

  for (const words of [['version'], renew]) {
    const { code, stdout, stderr } = await inChroot(tree, ...words);
    assert.deepEqual([code, stdout], [undefined, '']);
    assert.match(stderr, /^panic\(main thread\): abort\(\) called$/m);
    assert.deepEqual(changes(before, snapshot(inTree('etc')), { inodes: true }), []);
  }

  mounts.bind('/proc', inTree('proc'));
  const withoutDev = await inChroot(tree, ...renew);
  assert.deepEqual([withoutDev.code, withoutDev.stdout], [1, '']);
  assert.match(
    withoutDev.stderr,
    /^error: \/dev\/null: is needed to start flock, .*\nhint: mknod -m 666 \/dev\/null c 1 3\n$/m,
  );
  assert.deepEqual(changes(before, snapshot(inTree('etc')), { inodes: true }), []);

  mkdirSync(inTree('dev'));
  writeFileSync(inTree('dev/null'), '');
  mounts.bind('/dev/null', inTree('dev/null'));
  const { code, stdout, stderr } = await inChroot(tree, ...renew);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Done renewing certificates/m);
});
