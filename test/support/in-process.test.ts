import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubepkiInProcess } from './in-process.ts';
import { kubepki } from './kubepki.ts';
import { copyFixture, changes, snapshot } from './tree.ts';

const at = ['--at', '2027-10-20T00:00:00Z'];

/** What a run may end with: a table, a document, an error of the command line, of a file, of the cluster, a code of its own. */
const commandLines: readonly (readonly string[])[] = [
  ['certs', 'check-expiration', ...at],
  ['certs', 'check-expiration', ...at, '-o', 'json'],
  ['certs', 'check-expiration', ...at, '-o', 'nagios'],
  ['certs', 'check-expiration', ...at, '--within', '30d', '--quiet'],
  ['certs', 'check-expiration', ...at, '--rootfs-from', '-'],
  ['certs', 'check-expiration', '--at', 'soon', '-o', 'nagios'],
  ['certs', 'renew', 'apiserver', '--dry-run', ...at],
  ['certs', 'renew', 'nonsense'],
  ['certs', 'renew', '--nonsense'],
  ['certs', 'rollback'],
  ['certs', 'renew', '--help'],
  ['csr', 'list', '--kubeconfig', '/nowhere.conf'],
  ['--version'],
];

test('says what a process says, and ends as it ends', async (t) => {
  const tree = copyFixture(t, 'ipv6');
  const before = snapshot(tree.directory);
  for (const line of commandLines) {
    const words = line.includes('--version') ? line : [...line, '--rootfs', tree.directory];
    assert.deepEqual(await kubepkiInProcess(words), await kubepki(words), line.join(' '));
  }
  assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
});

test('leaves nothing for the next run, and several go on at once', async (t) => {
  const trees = [copyFixture(t, 'ipv6'), copyFixture(t, 'ipv6')];
  const ends = await Promise.all(
    trees.map(({ directory }) =>
      kubepkiInProcess(['certs', 'renew', 'all', '--quiet', '--rootfs', directory]),
    ),
  );
  for (const { code, stdout } of ends) assert.deepEqual([code, stdout], [0, '']);
  for (const { directory } of trees) {
    const { code, stdout } = await kubepkiInProcess(['certs', 'rollback', '--rootfs', directory]);
    assert.equal(code, 0);
    assert.match(stdout, /rolled back/);
  }
});
