/** Which change a rollback takes back: without an ID it goes back and never forward, and an ID may be abbreviated. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { besideChangeNote } from '../../support/change-note.ts';
import { changeDocument } from '../../support/change-document.ts';
import {
  certsInProcess as certs,
  doneInProcess as done,
  kubepkiInProcess as kubepki,
} from '../../support/in-process.ts';
import { quickTree, stateDirectory } from '../../support/node.ts';
import { externalTree } from '../../support/certificates/openssl-ca.ts';
import { changes, fileChanges, snapshot, type Tree } from '../../support/tree.ts';

function backupsOf(tree: Tree): string {
  return join(stateDirectory(tree), 'backups');
}

/** The oldest first. */
function ids(tree: Tree): string[] {
  return readdirSync(backupsOf(tree)).sort();
}

/** @returns the ID of its backup */
async function change(tree: Tree, ...args: readonly string[]): Promise<string> {
  const { backup } = changeDocument((await done(tree, ...args, '-o', 'json')).stdout);
  return backup ?? '';
}

async function renew(tree: Tree): Promise<string> {
  return change(tree, 'renew', 'apiserver', 'admin.conf');
}

function editManifest(tree: Tree, id: string, edit: (manifest: Record<string, unknown>) => void): void {
  const path = join(backupsOf(tree), id, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  edit(manifest);
  writeFileSync(path, JSON.stringify(manifest));
}

describe('rollback without an ID', () => {
  test('goes further back each time, says so, and refuses where nothing is further back', async (t) => {
    const tree = quickTree(t);
    const states = [snapshot(tree.directory)];
    const backups: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      backups.push(await renew(tree));
      states.push(snapshot(tree.directory));
    }
    const requireState = (index: number): void => {
      assert.deepEqual(fileChanges(states[index] ?? new Map(), snapshot(tree.directory)), []);
    };

    const planned = await done(tree, 'rollback', '--dry-run');
    assert.match(
      planned.stdout,
      new RegExp(`^would roll back 3 files to before \\S+ \\(${backups[2] ?? ''}\\)\n`),
    );
    assert.match(
      planned.stdout,
      /^would take back: kubepki certs renew apiserver admin\.conf -o json --rootfs /m,
    );
    const undone = [];
    for (const [step, quiet] of [
      [2, []],
      [1, ['--quiet']],
      [0, []],
    ] as const) {
      const { stdout, stderr } = await done(tree, 'rollback', ...quiet);
      requireState(step);
      const own = ids(tree).at(-1) ?? '';
      undone.unshift(own);
      if (quiet.length > 0) {
        assert.deepEqual([stdout, besideChangeNote(stderr)], ['', '']);
        continue;
      }
      const [first, second, ...certificates] = stdout.trimEnd().split('\n');
      assert.match(
        first ?? '',
        new RegExp(`^rolled back: 3 files are as they were before \\S+ \\(${backups[step] ?? ''}\\)$`),
      );
      assert.match(second ?? '', /^taken back: kubepki certs renew apiserver admin\.conf /);
      assert.equal(certificates.length, 2);
      for (const [index, name] of ['admin.conf', 'apiserver'].entries()) {
        assert.match(
          certificates[index] ?? '',
          new RegExp(`^ {2}${name} ends \\w{3} \\d\\d, \\d{4} \\d\\d:\\d\\d UTC$`),
        );
      }
      assert.ok(
        stderr.includes(`hint: to redo what was taken back: kubepki certs rollback ${own} --rootfs `),
        stderr,
      );
    }

    for (const args of [[], ['--dry-run'], ['--quiet'], ['-o', 'json'], ['--force']]) {
      const before = snapshot(tree.directory);
      const refused = await certs(tree, 'rollback', ...args);
      assert.deepEqual([refused.code, refused.stdout], [1, ''], args.join(' '));
      const [error, hint] = refused.stderr.split('\n');
      assert.match(
        error ?? '',
        new RegExp(
          `^error: \\S+/backups: nothing is further back: the last rollback went to before ${backups[0] ?? ''}, `,
        ),
      );
      // All of them, in the order in which they bring everything again.
      assert.deepEqual(
        [...(hint ?? '').matchAll(/kubepki certs rollback (\S+)/g)].map(([, id]) => id),
        undone,
      );
      assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    }

    await renew(tree);
    await done(tree, 'rollback');
    requireState(0);
    assert.match((await certs(tree, 'rollback')).stderr, /nothing is further back/);
    const [, , redo = ''] = undone;
    const { restoredBackup } = changeDocument((await done(tree, 'rollback', redo, '-o', 'json')).stdout);
    assert.equal(restoredBackup, redo);
    requireState(3);
    await done(tree, 'rollback');
    requireState(2);
  });

  test('takes an installation back, then the request before it', async (t) => {
    const set = externalTree(t, 'ipv6');
    if (set === undefined) return;
    const { tree, ca, csrDir } = set;
    await done(tree, 'renew', 'apiserver', '--csr-only', '--csr-dir', '/csr');
    ca.signAll(csrDir);
    await done(tree, 'install', '--csr-dir', '/csr');
    await done(tree, 'rollback');
    assert.equal(readdirSync(csrDir).length, 3);
    await done(tree, 'rollback');
    assert.deepEqual(readdirSync(csrDir), ['apiserver.crt'], 'what an external CA made is not ours');
    assert.equal((await certs(tree, 'rollback')).code, 1);
  });

  test('pushes no backup out, however few are kept, unless it is told to', async (t) => {
    const tree = quickTree(t);
    for (let count = 0; count < 7; count += 1) await done(tree, 'renew', 'apiserver', '--keep-backups', '7');
    const before = ids(tree);
    await done(tree, 'rollback');
    await done(tree, 'rollback');
    assert.deepEqual(ids(tree).slice(0, 7), before);
    assert.equal(ids(tree).length, 9);
    await done(tree, 'rollback', '--keep-backups', '3');
    assert.deepEqual(ids(tree).slice(0, 3), before.slice(4));
    // Those of rollbacks do not count, so a change pushes out no more than one.
    await done(tree, 'renew', 'apiserver', '--keep-backups', '3');
    assert.deepEqual(ids(tree).slice(0, 2), before.slice(5));
  });

  test('that finds nothing to do says what would be further back', async (t) => {
    const tree = quickTree(t);
    const first = await renew(tree);
    await renew(tree);
    const own = await change(tree, 'rollback');
    // As if the files had been put back by hand.
    rmSync(join(backupsOf(tree), own), { recursive: true });
    for (const args of [[], ['--dry-run']]) {
      const { stdout, stderr } = await done(tree, 'rollback', ...args);
      assert.match(stdout, /^nothing to roll back: every file is as it was before .*\n$/);
      assert.ok(
        stderr.endsWith(
          `hint: to go further back: kubepki certs rollback ${first} --rootfs ${tree.directory}\n`,
        ),
        stderr,
      );
    }
  });

  test('is refused where the kubeconfig dir is another one than the change was made in', async (t) => {
    const tree = quickTree(t);
    const other = quickTree(t);
    await renew(tree);
    const before = [snapshot(tree.directory), snapshot(other.directory)] as const;
    const here = ['--cert-dir', tree.certDir, '--kubeconfig-dir', other.kubeconfigDir];
    const outcome = await kubepki(['certs', 'rollback', ...here]);
    assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
    assert.match(
      outcome.stderr,
      /holds a file that cannot be brought back: \S+\/admin\.conf: cannot be reached/,
    );
    assert.ok(outcome.stderr.includes(`--kubeconfig-dir ${tree.kubeconfigDir}\n`), outcome.stderr);
    assert.deepEqual(changes(before[0], snapshot(tree.directory), { inodes: true }), []);
    assert.deepEqual(changes(before[1], snapshot(other.directory), { inodes: true }), []);
    const listed = await kubepki(['certs', 'history', ...here]);
    assert.deepEqual([listed.code, listed.stdout.split('\n').length], [0, 3]);
  });
});

describe('the ID of a backup', () => {
  test('may be its beginning, or the number; what may mean several is refused with all of them', async (t) => {
    const tree = quickTree(t);
    const [first, second] = [await renew(tree), await renew(tree)];
    for (const word of [first, first.slice(0, -7), '1']) {
      const { stdout } = await done(tree, 'rollback', word, '--dry-run', '-o', 'json');
      assert.equal(changeDocument(stdout).restoredBackup, first, word);
    }
    const before = snapshot(tree.directory);
    const ambiguous = await certs(tree, 'rollback', '20', '--dry-run');
    assert.match(ambiguous.stderr, /: there is no backup number 20\nhint: kubepki certs history /);
    for (const word of [first.slice(0, 5), first.slice(0, 11)]) {
      const { code, stderr } = await certs(tree, 'rollback', word);
      assert.equal(code, 1);
      assert.ok(
        stderr.endsWith(`: "${word}" may be any of 2 backups\nhint: name one of them: ${second}, ${first}\n`),
        stderr,
      );
    }
    assert.match((await certs(tree, 'rollback', '')).stderr, /: there is no backup ""\n/);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
  });

  test('is named where it is refused', async (t) => {
    const tree = quickTree(t);
    const id = await renew(tree);
    editManifest(tree, id, ({ certificates }) => {
      for (const one of certificates as { old: { notAfter: string } }[])
        one.old.notAfter = '2020-01-01T00:00:00Z';
    });
    const { code, stderr } = await certs(tree, 'rollback');
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^error: \\S+/backups/${id}: would bring back expired certificates: `));
  });
});

describe('history', () => {
  test('has the number, what was restored, and the names of the certificates', async (t) => {
    const tree = quickTree(t);
    const first = await renew(tree);
    const requested = await change(tree, 'renew', 'etcd-peer', '--csr-only', '--csr-dir', '/csr');
    const second = await change(tree, 'rollback', '1');
    const { stdout } = await done(tree, 'history');
    const rows = stdout.split('\n').map((line) => line.split(/ {3,}/));
    const rootfs = `--rootfs ${tree.directory}`;
    const [, userOfTests = ''] = /^\S+ +\d+ +(.*?) {3}/m.exec(stdout.split('\n')[1] ?? '') ?? [];
    assert.deepEqual(rows, [
      ['ID', 'NUMBER', 'USER', 'RESTORED', 'COMMAND', 'CERTIFICATES'],
      [second, '3', userOfTests, '1', `kubepki certs rollback 1 -o json ${rootfs}`, 'admin.conf, apiserver'],
      [
        requested,
        '2',
        userOfTests,
        '-',
        `kubepki certs renew etcd-peer --csr-only --csr-dir /csr -o json ${rootfs}`,
        '-',
      ],
      [
        first,
        '1',
        userOfTests,
        '-',
        `kubepki certs renew apiserver admin.conf -o json ${rootfs}`,
        'admin.conf, apiserver',
      ],
      [''],
    ]);
    const { backups } = JSON.parse((await done(tree, 'history', '-o', 'json')).stdout) as {
      readonly backups: readonly Record<string, unknown>[];
    };
    assert.deepEqual(
      backups.map(({ id, number, restoredBackup }) => [id, number, restoredBackup]),
      [
        [second, 3, first],
        [requested, 2, null],
        [first, 1, null],
      ],
    );
    assert.deepEqual(
      backups[2]?.['files'],
      ['admin.conf', 'pki/apiserver.key', 'pki/apiserver.crt'].map((path) => join(tree.kubeconfigDir, path)),
    );
  });
});
