import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { allComponents, changeNote } from '../../support/change-note.ts';
import { certsInProcess as certs, doneInProcess as done } from '../../support/in-process.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { changes, copyFixture, fileChanges, fixturePath, snapshot, type Tree } from '../../support/tree.ts';

function ids(tree: Tree): string[] {
  return readdirSync(join(stateDirectory(tree), 'backups')).sort();
}

interface History {
  readonly backups: readonly {
    readonly id: string;
    readonly command: string;
    readonly user: string;
    readonly certificates: readonly { readonly name: string; readonly old: object; readonly new: object }[];
  }[];
}

async function history(tree: Tree): Promise<History> {
  return JSON.parse((await done(tree, 'history', '-o', 'json')).stdout) as History;
}

describe('backups', () => {
  test('a renewal keeps what it replaced, for root alone, with a manifest', async (t) => {
    const tree = quickTree(t);
    const before = snapshot(tree.directory);
    await done(tree, 'renew', 'all');
    const state = [...snapshot(tree.directory)].filter(([path]) => path.includes('kubepki'));
    for (const [path, { type, mode }] of state)
      assert.equal(mode, type === 'directory' ? '0700' : '0600', path);
    const kept = state.flatMap(([path, { sha256 }]) => (/\/\d+$/.test(path) ? [sha256] : []));
    const replaced = fileChanges(before, snapshot(tree.directory)).map((line) => line.split(' ')[1] ?? '');
    assert.equal(replaced.length, 17);
    assert.deepEqual(kept.sort(), replaced.map((path) => before.get(path)?.sha256).sort());
    const [newest] = (await history(tree)).backups;
    assert.equal(newest?.command, `kubepki certs renew all --rootfs ${tree.directory}`);
    assert.equal(newest.certificates.length, 10);
    for (const { old, new: now } of newest.certificates) {
      assert.deepEqual(Object.keys(old), ['serial', 'fingerprint', 'notAfter']);
      assert.notDeepEqual(old, now);
    }
  });

  test('the last five are kept, or as many as asked for', async (t) => {
    const tree = quickTree(t);
    for (let run = 0; run < 6; run += 1) await done(tree, 'renew', 'apiserver');
    assert.equal(ids(tree).length, 5);
    await done(tree, 'renew', 'apiserver', '--keep-backups', '2');
    assert.equal(ids(tree).length, 2);
  });

  test('a damaged one is said to be so, and hides no other', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'apiserver');
    const [older = ''] = ids(tree);
    await done(tree, 'renew', 'apiserver');
    const damaged = ids(tree).find((id) => id !== older) ?? '';
    writeFileSync(join(stateDirectory(tree), 'backups', damaged, 'manifest.json'), '{"version":1}');
    const listed = await done(tree, 'history');
    assert.match(listed.stdout, new RegExp(`^${older} `, 'm'));
    assert.match(listed.stderr, new RegExp(`^warning: a damaged backup: .*${damaged}/manifest.json: is not`));
  });
});

describe('rollback', () => {
  test('brings back every byte, and can be rolled back', async (t) => {
    const tree = quickTree(t);
    const original = snapshot(tree.directory);
    await done(tree, 'renew', 'all');
    const after = snapshot(tree.directory);
    const back = await done(tree, 'rollback');
    assert.match(back.stdout, /^rolled back: 17 files /);
    const redo = `hint: to redo what was taken back: kubepki certs rollback ${ids(tree).at(-1) ?? ''} --rootfs ${tree.directory}\n`;
    assert.equal(back.stderr, redo + changeNote(t, tree, { verb: 'rolled back', restart: allComponents }));
    assert.deepEqual(fileChanges(original, snapshot(tree.directory)), []);
    await done(tree, 'rollback', ids(tree).at(-1) ?? '');
    assert.deepEqual(fileChanges(after, snapshot(tree.directory)), []);
    assert.equal((await done(tree, 'history')).stdout.split('\n').length, 5);
  });

  test('of a key that was not there takes it away again', async (t) => {
    const tree = quickTree(t);
    const key = join(tree.certDir, 'front-proxy-client.key');
    rmSync(key);
    const original = snapshot(tree.directory);
    await done(tree, 'renew', 'all');
    const shown = await done(tree, 'rollback', '--dry-run');
    assert.ok(shown.stdout.includes(`${key} (removed)\n`), shown.stdout);
    await done(tree, 'rollback');
    assert.deepEqual(fileChanges(original, snapshot(tree.directory)), []);
  });

  test('to one by its name; an unknown one is an error', async (t) => {
    const tree = quickTree(t);
    const original = snapshot(tree.directory);
    await done(tree, 'renew', 'all');
    const [id = ''] = ids(tree);
    await done(tree, 'renew', 'all');
    await done(tree, 'rollback', id);
    assert.deepEqual(fileChanges(original, snapshot(tree.directory)), []);
    const again = await done(tree, 'rollback', id);
    assert.match(again.stdout, /^nothing to roll back: every file is as it was before /);
    const unknown = await certs(tree, 'rollback', 'yesterday');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /there is no backup "yesterday"\nhint: kubepki certs history --rootfs /);
  });

  test('means the newest change, though the clock has been set back since another', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'all');
    const [id = ''] = ids(tree);
    const backups = join(stateDirectory(tree), 'backups');
    const future = `2099-01-01T000000.000Z-${id.slice(-6)}`;
    renameSync(join(backups, id), join(backups, future));
    const manifest = join(backups, future, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(id, future));
    const before = snapshot(tree.directory);
    await done(tree, 'renew', 'all');
    await done(tree, 'rollback');
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    assert.equal((await history(tree)).backups.at(-1)?.id, future);
  });

  test('does not take an older backup for the newest, should that be damaged', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'all');
    await done(tree, 'renew', 'all');
    const newest = ids(tree).at(-1) ?? '';
    writeFileSync(join(stateDirectory(tree), 'backups', newest, 'manifest.json'), '');
    const before = snapshot(tree.directory);
    const outcome = await certs(tree, 'rollback');
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /: may be the newest: .*\nhint: name the backup to bring back: /);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });

  test('with a damaged file in it is not done', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'all');
    writeFileSync(join(stateDirectory(tree), 'backups', ids(tree)[0] ?? '', '03'), 'damaged');
    const before = snapshot(tree.directory);
    for (const args of [['rollback'], ['rollback', '--force'], ['rollback', '--dry-run']]) {
      const outcome = await certs(tree, ...args);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /03: is damaged or missing/);
    }
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });

  test('refuses expired certificates, but for --force', async (t) => {
    const tree = copyFixture(t, 'expired-leaf');
    await done(tree, 'renew', 'apiserver');
    const before = snapshot(tree.directory);
    const refused = await certs(tree, 'rollback');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /would bring back expired certificates: apiserver\nhint: .*--force/);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    await done(tree, 'rollback', '--force');
  });

  test('refuses certificates of a CA that has been replaced since, but for --force', async (t) => {
    const tree = quickTree(t);
    await done(tree, 'renew', 'apiserver', 'admin.conf');
    for (const name of ['ca.crt', 'ca.key']) {
      cpSync(fixturePath('stacked-etcd-ecdsa', `etc/kubernetes/pki/${name}`), join(tree.certDir, name));
    }
    const before = snapshot(tree.directory);
    const refused = await certs(tree, 'rollback');
    assert.equal(refused.code, 1);
    assert.match(
      refused.stderr,
      /would bring back certificates of another CA than those on disk: .*admin\.conf, .*apiserver\.crt\nhint: .*--force/,
    );
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    await done(tree, 'rollback', '--force');
  });
});
