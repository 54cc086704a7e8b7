import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { kubepkiCommand } from '../../support/kubepki.ts';
import { runProgram } from '../../support/program.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  snapshot,
  temporaryDirectory,
  type Tree,
} from '../../support/tree.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const certs = (tree: Tree, ...args: string[]): ReturnType<typeof kubepki> =>
  kubepki(['certs', ...args, '--rootfs', tree.directory]);

describe('a CA and the service-account key are never replaced', () => {
  for (const name of ['ca.key', 'ca.crt', 'sa.key', 'etcd/ca.key']) {
    test(`${name}, though apiserver.key is a link to it`, async (t) => {
      const tree = copyFixture(t, 'stacked-etcd-rsa');
      rmSync(join(tree.certDir, 'apiserver.key'));
      symlinkSync(name, join(tree.certDir, 'apiserver.key'));
      const before = snapshot(tree.directory);
      const outcome = await certs(tree, 'renew', 'apiserver');
      assert.equal(outcome.code, 1);
      assert.match(
        outcome.stderr,
        /apiserver\.key: is the file of a CA or of the service-account key, and is never replaced/,
      );
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('though a kubeconfig names it as its client key', async (t) => {
    const tree = copyFixture(t, 'kubeconfig-files');
    const path = join(tree.kubeconfigDir, 'admin.conf');
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('client-key: users/admin.key', 'client-key: pki/ca.key'),
    );
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'admin.conf');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /ca\.key: is the file of a CA/);
    assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
  });
});

describe('nothing outside is touched', () => {
  test('a relative path in a kubeconfig does not lead out of the rootfs', async (t) => {
    const outside = temporaryDirectory(t);
    writeFileSync(join(outside, 'k.pem'), 'outside');
    const tree = copyFixture(t, 'kubeconfig-files');
    const path = join(tree.kubeconfigDir, 'admin.conf');
    const up = `${'../'.repeat(20)}${outside.slice(1)}/k.pem`;
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace('client-key: users/admin.key', `client-key: ${up}`),
    );
    await certs(tree, 'renew', 'admin.conf');
    assert.equal(readFileSync(join(outside, 'k.pem'), 'utf8'), 'outside');
  });

  test('in a copy of a whole tree a backup is brought back into the copy, never into the original', async (t) => {
    const original = copyFixture(t, 'ipv6');
    const old = snapshot(original.directory);
    assert.equal((await certs(original, 'renew', 'apiserver')).code, 0);
    const copy = { ...original, directory: join(temporaryDirectory(t), 'copy') };
    cpSync(original.directory, copy.directory, { recursive: true, preserveTimestamps: true });
    const before = snapshot(original.directory);
    const outcome = await certs(copy, 'rollback');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(fileChanges(old, snapshot(copy.directory)), []);
    assert.deepEqual(changes(before, snapshot(original.directory), { inodes: true }), []);
  });

  test('in a copy of the two directories alone a backup is brought back into the copy, too', async (t) => {
    const original = copyFixture(t, 'ipv6');
    const old = snapshot(original.kubeconfigDir);
    assert.equal((await certs(original, 'renew', 'all')).code, 0);
    const moved = join(temporaryDirectory(t), 'moved');
    cpSync(original.kubeconfigDir, moved, { recursive: true, preserveTimestamps: true });
    const before = snapshot(original.directory);
    const outcome = await kubepki(['certs', 'rollback', '--cert-dir', join(moved, 'pki')]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.deepEqual(fileChanges(old, snapshot(moved)), []);
    assert.deepEqual(changes(before, snapshot(original.directory), { inodes: true }), []);
  });

  test('a journal removes nothing but our own staged files and backups', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const state = join(tree.certDir, '.kubepki');
    mkdirSync(join(state, 'backups'), { recursive: true, mode: 0o700 });
    const victim = join(tree.directory, 'victim');
    mkdirSync(victim);
    const here = (path: string): object => ({ in: 'cert-dir', path });
    const file = here('apiserver.key');
    const entry = { path: file, resolvedPath: file, before: null, after: null };
    const id = '2026-11-24T115216.578Z-899d63';
    const origin = { certDir: '/etc/kubernetes/pki', kubeconfigDir: null };
    const common = { version: 1, origin, status: 'preparing', command: 'x', directories: [] };
    const journals = [
      { ...common, id: '../../../../victim', entries: [] },
      { ...common, id: '', entries: [] },
      { ...common, id, entries: [{ ...entry, stagedPath: here('ca.key') }] },
      { ...common, id, entries: [{ ...entry, stagedPath: here('.apiserver.key.kubepki-../../ca.key') }] },
      {
        ...common,
        id,
        entries: [{ ...entry, stagedPath: { in: 'root', path: '.apiserver.key.kubepki-0123456789ab' } }],
      },
    ];
    for (const journal of journals) {
      writeFileSync(join(state, 'journal.json'), JSON.stringify(journal), { mode: 0o600 });
      const before = snapshot(tree.directory);
      const outcome = await certs(tree, 'recover');
      assert.equal(outcome.code, 9, outcome.stderr);
      assert.match(outcome.stderr, /is not a journal of this version/);
      assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    }
    assert.equal((await certs(tree, 'recover', '--discard')).code, 0);
    assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
  });

  test('a state directory that others can write to is refused', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const state = join(tree.certDir, '.kubepki');
    mkdirSync(state);
    spawnSync('chmod', ['0777', state]);
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'renew', 'apiserver');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /kubepki: is not a directory that only you can write to/);
    assert.deepEqual(fileChanges(before, snapshot(tree.directory), { inodes: true }), []);
  });

  test('pruning removes no directory that is not ours', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    assert.equal((await certs(tree, 'renew', 'apiserver')).code, 0);
    const own = join(tree.certDir, '.kubepki/backups/my-copy');
    mkdirSync(own);
    writeFileSync(join(own, 'ca.key'), 'mine');
    for (let run = 0; run < 2; run += 1) {
      assert.equal((await certs(tree, 'renew', 'apiserver', '--keep-backups', '1')).code, 0);
    }
    assert.equal(readFileSync(join(own, 'ca.key'), 'utf8'), 'mine');
  });
});

describe('the command line', () => {
  test('a note that cannot be written changes neither what is done nor the exit code', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const args = [...kubepkiCommand, 'certs', 'renew', 'apiserver', '--rootfs', tree.directory];
    const outcome = await runProgram('/bin/sh', ['-c', '"$@" 2>/dev/full', 'sh', ...args]);
    assert.deepEqual(
      [outcome.code, outcome.stdout],
      [0, 'certificate for serving the Kubernetes API renewed\n'],
    );
  });

  test('surplus arguments are refused', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    for (const args of [
      ['check-expiration', 'extra'],
      ['recover', 'discard'],
      ['rollback', 'a', 'b'],
      ['history', 'x'],
    ]) {
      const outcome = await certs(tree, ...args);
      assert.deepEqual([outcome.code, outcome.stdout], [1, ''], args.join(' '));
      assert.match(outcome.stderr, /^error: too many arguments/);
    }
  });

  test('a --config that is no kubeadm configuration is invalid', async (t) => {
    const tree = copyFixture(t, 'ipv6');
    const before = snapshot(tree.directory);
    writeFileSync(
      join(tree.directory, 'kubelet.yaml'),
      'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n',
    );
    for (const config of ['/etc/kubernetes/admin.conf', '/kubelet.yaml']) {
      const outcome = await certs(tree, 'renew', 'all', '--config', config);
      assert.equal(outcome.code, 3, config);
      assert.match(outcome.stderr, /holds no kubeadm configuration/);
    }
    assert.deepEqual(changes(before, snapshot(tree.directory)), ['+ kubelet.yaml 0644']);
  });
});
