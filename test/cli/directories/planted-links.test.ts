/** Symlinks at the names kubepki gives its own files: what they lead to is never written, created or removed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { requireTidy, setState } from '../../faults/invariants.ts';
import { killedAfter } from '../../faults/killed.ts';
import { stopped } from '../../faults/stopped.ts';
import { traced } from '../../faults/strace.ts';
import { allComponents, changeNote } from '../../support/change-note.ts';
import { judge } from '../../support/judge.ts';
import {
  changes,
  copyFixture,
  fileChanges,
  snapshot,
  temporaryDirectory,
  type Snapshot,
  type Tree,
} from '../../support/tree.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const role = 'ipv6';
const stateDir = (tree: Tree): string => join(tree.certDir, '.kubepki');
const certs = (tree: Tree, ...args: string[]): ReturnType<typeof kubepki> =>
  kubepki(['certs', ...args, '--rootfs', tree.directory]);

interface Victim {
  readonly directory: string;
  readonly file: string;
  /** Where there is nothing yet. */
  readonly nothing: string;
  requireUntouched(): void;
}

function victimOf(t: TestContext): Victim {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'file');
  writeFileSync(file, 'the victim', { mode: 0o644 });
  const before = snapshot(directory);
  return {
    directory,
    file,
    nothing: join(directory, 'nothing'),
    requireUntouched: () => {
      assert.deepEqual(changes(before, snapshot(directory), { inodes: true }), []);
    },
  };
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

describe('a symlink in the place of a file of ours', () => {
  for (const name of ['journal.json.new']) {
    for (const leads of ['file', 'nothing'] as const) {
      test(`${name}, leading to ${leads === 'file' ? 'a file' : leads}: it is replaced, not followed`, async (t) => {
        const tree = copyFixture(t, role);
        const victim = victimOf(t);
        mkdirSync(stateDir(tree), { mode: 0o700 });
        symlinkSync(victim[leads], join(stateDir(tree), name));
        const before = snapshot(tree.directory);
        const outcome = await certs(tree, 'renew', 'all');
        assert.deepEqual(
          [outcome.code, outcome.stderr],
          [0, changeNote(t, tree, { restart: allComponents })],
        );
        assert.equal(setState(before, snapshot(tree.directory)), 'new');
        requireTidy(tree);
        victim.requireUntouched();
      });
    }
  }

  for (const leads of ['file', 'nothing', 'directory'] as const) {
    test(`journal.json, leading to ${leads === 'nothing' ? leads : `a ${leads}`}: exit 9, and --discard removes the link`, async (t) => {
      const tree = copyFixture(t, role);
      const victim = victimOf(t);
      const journal = join(stateDir(tree), 'journal.json');
      mkdirSync(stateDir(tree), { mode: 0o700 });
      symlinkSync(victim[leads], journal);
      const before = snapshot(tree.directory);
      for (const args of [['renew', 'all'], ['recover']]) {
        const outcome = await certs(tree, ...args);
        assert.deepEqual([outcome.code, outcome.stdout], [9, '']);
        assert.ok(outcome.stderr.startsWith(`error: ${journal}: is a symbolic link, not a file\nhint: `));
        assert.match(outcome.stderr, /kubepki certs recover --discard /);
        assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
      }
      assert.equal((await certs(tree, 'recover', '--discard')).code, 0);
      assert.equal(isLink(journal), false);
      assert.equal((await certs(tree, 'renew', 'all')).code, 0);
      requireTidy(tree);
      victim.requireUntouched();
    });
  }
});

describe('a symlink in the place of a directory of ours', () => {
  for (const name of ['.kubepki', '.kubepki/backups']) {
    for (const leads of ['directory', 'nothing'] as const) {
      test(`${name}, leading to ${leads === 'directory' ? 'a directory' : leads}: refused`, async (t) => {
        const tree = copyFixture(t, role);
        const victim = victimOf(t);
        const planted = join(tree.certDir, name);
        if (name !== '.kubepki') mkdirSync(stateDir(tree), { mode: 0o700 });
        symlinkSync(victim[leads], planted);
        const before = snapshot(tree.directory);
        const outcome = await certs(tree, 'renew', 'all');
        assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
        assert.match(
          outcome.stderr,
          /^error: (.*): is not a directory that only you can write to.*\nhint: .*\n$/,
        );
        assert.ok(outcome.stderr.startsWith(`error: ${planted}: `), outcome.stderr);
        assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
        victim.requireUntouched();
      });
    }
  }

  test('a file named .kubepki blinds nobody: the table is printed', async (t) => {
    const tree = copyFixture(t, role);
    writeFileSync(stateDir(tree), '');
    const outcome = await certs(tree, 'check-expiration');
    assert.equal(outcome.code, 0);
    assert.equal(outcome.stdout.split('\n').length, 17);
    assert.match(
      outcome.stderr,
      /^warning: .*\.kubepki\/restart\.json: a part of the path is not a directory\n$/,
    );
  });

  test('a backup: it is no backup, and pruning does not go where it leads', async (t) => {
    const tree = copyFixture(t, role);
    assert.equal((await certs(tree, 'renew', 'all')).code, 0);
    const backups = join(stateDir(tree), 'backups');
    const [id = ''] = readdirSync(backups);
    // A whole backup, and older than any other.
    const elsewhere = join(temporaryDirectory(t), 'elsewhere');
    const planted = '2020-01-01T000000.000Z-000000';
    spawnSync('cp', ['-a', join(backups, id), elsewhere]);
    const manifest = join(elsewhere, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll(id, planted));
    symlinkSync(elsewhere, join(backups, planted));
    const before = snapshot(elsewhere);
    assert.doesNotMatch((await certs(tree, 'history')).stdout, /2020-01-01/);
    assert.equal((await certs(tree, 'renew', 'all', '--keep-backups', '1')).code, 0);
    assert.equal((await certs(tree, 'rollback', planted)).code, 1);
    assert.deepEqual(changes(before, snapshot(elsewhere), { inodes: true }), []);
    assert.equal(isLink(join(backups, planted)), true);
  });
});

/** The names a run is about to use, which nobody else can know. */
function stagedNames(tree: Tree): readonly string[] {
  const file = readdirSync(stateDir(tree)).find((name) => name.startsWith('journal.json')) ?? '';
  const text = readFileSync(join(stateDir(tree), file), 'utf8');
  const { entries } = JSON.parse(text) as {
    readonly entries: readonly { readonly stagedPath: { readonly in: string; readonly path: string } }[];
  };
  return entries.map(({ stagedPath: { in: place, path } }) =>
    join(place === 'cert-dir' ? tree.certDir : tree.kubeconfigDir, path),
  );
}

describe('a staged file', () => {
  for (const [what, plant] of [
    [
      'a symlink to a file',
      ({ file }: Victim, path: string) => {
        symlinkSync(file, path);
      },
    ],
    [
      'a symlink to nothing',
      ({ nothing }: Victim, path: string) => {
        symlinkSync(nothing, path);
      },
    ],
    [
      'another name of a file',
      ({ file }: Victim, path: string) => {
        linkSync(file, path);
      },
    ],
  ] as const) {
    test(`its name could not be guessed; ${what} at it all the same: exit 1, and all is as before`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const tree = copyFixture(t, role);
      const victim = victimOf(t);
      const before = snapshot(tree.directory);
      const run = await stopped(t, strace, tree, ['renew', 'all'], {
        call: 'fsync',
        path: join(stateDir(tree), 'journal.json.new'),
        nth: 1,
      });
      const stagedPath = stagedNames(tree).at(-2) ?? '';
      plant(victim, stagedPath);
      const outcome = await run.resume();
      assert.deepEqual([outcome.code, outcome.stdout], [1, '']);
      assert.match(outcome.stderr, /^error: (.*): file already exists\n$/);
      assert.ok(outcome.stderr.startsWith(`error: ${stagedPath}: `), outcome.stderr);
      assert.equal(readFileSync(victim.file, 'utf8'), 'the victim');
      assert.deepEqual(readdirSync(victim.directory), ['file']);
      assert.deepEqual(changes(before, snapshot(tree.directory), { inodes: true }), []);
    });
  }

  test('a symlink in its place after a crash is not taken for it: the change is taken back', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = copyFixture(t, role);
    const victim = victimOf(t);
    const before = snapshot(tree.directory);
    killedAfter(strace, 2, ['certs', 'renew', 'all', '--rootfs', tree.directory]);
    const stagedPath = stagedNames(tree).at(-1) ?? '';
    rmSync(stagedPath);
    symlinkSync(victim.file, stagedPath);
    const outcome = await certs(tree, 'recover');
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /its change was taken back/);
    assert.deepEqual(changes(before, snapshot(tree.directory)), []);
    victim.requireUntouched();
  });
});

describe('every file is created so that nothing in its place is followed or opened', () => {
  async function creations(t: TestContext, strace: string, tree: Tree, command: string): Promise<string[]> {
    const run = await traced(
      strace,
      ['certs', ...command.split(' '), '--rootfs', tree.directory],
      temporaryDirectory(t),
    );
    assert.equal(run.code, 0, run.stderr);
    const made = run.log.filter((line) => line.includes(tree.directory) && line.includes('O_CREAT'));
    // What is locked is never made anew.
    const isLock = (line: string): boolean => /\.kubepki[/.]lock"/.test(line);
    for (const line of made.filter(isLock)) assert.match(line, /^openat\(.*O_NOFOLLOW/, line);
    const lines = made.filter((line) => !isLock(line));
    for (const line of lines) assert.match(line, /^openat\(.*O_CREAT\|O_EXCL\|[A-Z_|]*O_NOFOLLOW/, line);
    return lines.map((line) => /"([^"]+)"/.exec(line)?.[1] ?? '');
  }

  test('in a renewal, a rollback, and a recovery that goes back', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = copyFixture(t, role);
    const before: Snapshot = snapshot(tree.directory);
    const created = [
      await creations(t, strace, tree, 'renew all'),
      await creations(t, strace, tree, 'rollback'),
    ];
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);
    killedAfter(strace, 2, ['certs', 'renew', 'all', '--rootfs', tree.directory]);
    rmSync(stagedNames(tree).at(-1) ?? '');
    created.push(await creations(t, strace, tree, 'recover'));
    assert.deepEqual(fileChanges(before, snapshot(tree.directory)), []);

    // 17 files, each staged and copied into a backup; the manifest, and the journal twice. Then two of them.
    assert.deepEqual(
      created.map((paths) => paths.length),
      [37, 37, 2],
    );
    const staged = created.flat().filter((path) => !path.includes('/.kubepki/'));
    assert.equal(staged.length, 17 + 17 + 2);
    const random = staged.map(
      (path) => /^\.[\w.-]+\.(?:key|crt|conf)\.kubepki-([0-9a-f]{12})$/.exec(basename(path))?.[1],
    );
    assert.ok(
      random.every((one) => one !== undefined),
      staged.join('\n'),
    );
    assert.equal(new Set(random).size, staged.length, 'a name of its own for each');
  });
});
