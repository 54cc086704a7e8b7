/** Directories that cannot be written: one line says which file, and everything stays bit for bit as it was. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { mountsFor } from '../../support/machine/mounts.ts';
import { mayChown } from '../../support/root.ts';
import { changes, copyFixture, snapshot, type Tree } from '../../support/tree.ts';
import { unprivileged } from '../../support/machine/unprivileged.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const role = 'ipv6';

describe('root, and a file system that is mounted read-only', () => {
  const table: readonly { what: string; mounted: (tree: Tree) => string; file: string }[] = [
    { what: 'the cert dir', mounted: ({ certDir }) => certDir, file: 'pki/.kubepki' },
    {
      what: 'etcd/ alone',
      mounted: ({ certDir }) => join(certDir, 'etcd'),
      file: 'pki/etcd/healthcheck-client.key',
    },
    { what: 'both directories', mounted: ({ kubeconfigDir }) => kubeconfigDir, file: 'pki/.kubepki' },
  ];
  for (const { what, mounted, file } of table) {
    for (const earlier of [false, true]) {
      test(`${what}${earlier ? ', with a backup of an earlier change' : ''}: exit 1, and nothing is left`, async (t) => {
        const mounts = mountsFor(t);
        if (mounts === undefined) return;
        const tree = copyFixture(t, role);
        const certs = (...args: string[]): ReturnType<typeof kubepki> =>
          kubepki(['certs', ...args, '--rootfs', tree.directory]);
        if (earlier) assert.equal((await certs('renew', 'all')).code, 0);
        mounts.readOnly(mounted(tree));
        const before = snapshot(tree.directory);
        for (const command of earlier ? ['renew all', 'rollback'] : ['renew all']) {
          const outcome = await certs(...command.split(' '));
          assert.deepEqual([outcome.code, outcome.stdout], [1, ''], command);
          assert.equal(
            outcome.stderr,
            `error: ${join(tree.kubeconfigDir, earlier && file.endsWith('.kubepki') ? `${file}/lock` : file)}: read-only file system\nhint: remount it read-write and run the command again\n`,
          );
          assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
        }
        // What only reads works all the same.
        for (const command of ['renew all --dry-run', 'check-expiration', 'history']) {
          const outcome = await certs(...command.split(' '));
          assert.deepEqual([outcome.code, outcome.stderr], [0, ''], command);
        }
      });
    }
  }
});

describe('a user who may read everything', () => {
  const user = 65534;
  const table: readonly { what: string; give: (tree: Tree) => void; error: RegExp }[] = [
    {
      what: 'and write to no directory',
      give: () => undefined,
      error: /^error: .*\/pki\/\.kubepki: permission denied$/,
    },
    {
      what: 'and write to the kubeconfigs only',
      give: ({ kubeconfigDir }) => {
        chmodSync(kubeconfigDir, 0o755);
        for (const name of ['.', 'admin.conf', 'controller-manager.conf', 'scheduler.conf']) {
          chownSync(join(kubeconfigDir, name), user, user);
        }
      },
      error: /^error: .*\/pki\/\.kubepki: permission denied$/,
    },
    {
      what: "and write to every directory, but cannot make a file root's",
      give: ({ kubeconfigDir, certDir }) => {
        for (const directory of [kubeconfigDir, certDir, join(certDir, 'etcd')]) {
          chmodSync(directory, 0o755);
          chownSync(directory, user, user);
        }
      },
      error: /^error: .*\/admin\.conf: operation not permitted$/,
    },
  ];
  for (const { what, give, error } of table) {
    test(`${what}: exit 1, and nothing is left`, (t) => {
      const setpriv = judge(t, 'setpriv');
      if (setpriv === undefined || !mayChown(t)) return;
      const tree = copyFixture(t, role);
      for (const entry of readdirSync(tree.directory, { recursive: true, withFileTypes: true })) {
        chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o555 : 0o444);
      }
      give(tree);
      const before = snapshot(tree.directory);
      const { code, stdout, stderr } = unprivileged(t, setpriv, [
        'certs',
        'renew',
        'all',
        '--rootfs',
        tree.directory,
      ]);
      assert.deepEqual([code, stdout], [1, ''], stderr);
      const lines = stderr.split('\n').slice(0, -1);
      const [errors, hints] = ['error: ', 'hint: '].map((word) =>
        lines.filter((line) => line.startsWith(word)),
      );
      assert.equal(errors?.length, 1, stderr);
      assert.match(errors[0] ?? '', error);
      // That others may read the keys, as this user must, is said too.
      const others = hints?.filter((line) => !line.startsWith('hint: chmod 0600 '));
      assert.deepEqual(others, ['hint: run it as root, or as the user who owns the file']);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }
});
