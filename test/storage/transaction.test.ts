import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { replaceFile, type ChangeSet, type FileTarget } from '../../src/changeset/change-set.ts';
import { readRegularFile } from '../../src/filesystem/regular-file.ts';
import { listBackups } from '../../src/storage/backup.ts';
import { mayChown } from '../support/root.ts';
import { stateFor } from '../support/state.ts';
import { openTransaction, type OpenTransaction, type ReadStaged } from '../../src/storage/transaction.ts';
import { changes, snapshot, temporaryDirectory } from '../support/tree.ts';

const accept = (): void => undefined;

const occasion = {
  time: '2026-12-01T00:00:00.000Z',
  command: 'kubepki test',
  user: 'root',
  certificates: [],
  restored: null,
};

function commit(
  changes: ChangeSet,
  verify: (read: ReadStaged) => void,
  options: { readonly newDirectoryMode?: 0o755 } = {},
): void {
  const transaction = open(
    changes.map(({ target }) => target),
    options,
  );
  for (const change of changes) transaction.stage(change);
  transaction.prepare({ occasion, verify, keepBackups: 5 }).finish();
}

function open(
  targets: readonly FileTarget[],
  options: { readonly newDirectoryMode?: 0o755 } = {},
): OpenTransaction {
  const [first] = targets;
  assert.ok(first);
  return openTransaction(stateFor(dirname(first.path)), targets, { occasion, ...options });
}

/** Without the state. */
function filesIn(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name !== '.kubepki')
    .sort();
}

function target(path: string): FileTarget {
  return { path, resolvedPath: path, before: readRegularFile(path, path)?.facts };
}

function files(t: TestContext): { directory: string; key: string; certificate: string } {
  const directory = join(temporaryDirectory(t), 'pki');
  mkdirSync(directory);
  const key = join(directory, 'apiserver.key');
  const certificate = join(directory, 'apiserver.crt');
  writeFileSync(key, 'old key', { mode: 0o600 });
  writeFileSync(certificate, 'old certificate', { mode: 0o644 });
  return { directory, key, certificate };
}

describe('committing a ChangeSet', () => {
  test('replaces the files and leaves nothing else behind', (t) => {
    const { directory, key, certificate } = files(t);
    commit(
      [replaceFile(target(key), 'new key', 0o600), replaceFile(target(certificate), 'new', 0o644)],
      accept,
    );
    assert.equal(readFileSync(key, 'utf8'), 'new key');
    assert.equal(readFileSync(certificate, 'utf8'), 'new');
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
  });

  test('a file that exists keeps its mode and its owner, whatever the umask', (t) => {
    const { key, certificate } = files(t);
    chmodSync(key, 0o640);
    chmodSync(certificate, 0o666);
    if (process.getuid?.() === 0) chownSync(key, 65534, 65533);
    const before = statSync(key);
    const umask = process.umask(0o077);
    t.after(() => process.umask(umask));
    commit([replaceFile(target(key), 'k', 0o600), replaceFile(target(certificate), 'c', 0o644)], accept);
    const after = statSync(key);
    assert.deepEqual([after.mode, after.uid, after.gid], [before.mode, before.uid, before.gid]);
    assert.equal(statSync(certificate).mode & 0o7777, 0o666);
  });

  test('a new key is 0600 and a new certificate 0644, whatever the umask', (t) => {
    const directory = join(temporaryDirectory(t), 'pki');
    mkdirSync(directory);
    const umask = process.umask(0o000);
    t.after(() => process.umask(umask));
    const [key, certificate] = [join(directory, 'a.key'), join(directory, 'a.crt')];
    commit([replaceFile(target(key), 'k', 0o600), replaceFile(target(certificate), 'c', 0o644)], accept);
    assert.equal(statSync(key).mode & 0o7777, 0o600);
    assert.equal(statSync(certificate).mode & 0o7777, 0o644);
  });

  test('what is verified is what was read back from disk, and a refusal changes nothing', (t) => {
    const { directory, key, certificate } = files(t);
    const changes = [replaceFile(target(key), 'new key', 0o600)];
    assert.throws(() => {
      commit(changes, (read) => {
        assert.equal(read(target(key)).toString(), 'new key');
        assert.equal(read(target(certificate)).toString(), 'old certificate');
        assert.equal(readFileSync(key, 'utf8'), 'old key');
        throw new Error('refused');
      });
    }, /refused/);
    assert.equal(readFileSync(key, 'utf8'), 'old key');
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
  });

  test('a file that somebody else changed in the meantime is not replaced, nor is any other', (t) => {
    const { directory, key, certificate } = files(t);
    const changes = [
      replaceFile(target(key), 'new key', 0o600),
      replaceFile(target(certificate), 'new', 0o644),
    ];
    writeFileSync(certificate, 'renewed by kubeadm');
    assert.throws(
      () => {
        commit(changes, accept);
      },
      { code: 'conflict', file: certificate },
    );
    assert.equal(readFileSync(key, 'utf8'), 'old key');
    assert.equal(readFileSync(certificate, 'utf8'), 'renewed by kubeadm');
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
  });

  test('a file that was given to another user in the meantime is not replaced', (t) => {
    if (!mayChown(t)) return;
    const { key } = files(t);
    const change = replaceFile(target(key), 'new key', 0o600);
    chownSync(key, 65534, 65533);
    assert.throws(
      () => {
        commit([change], accept);
      },
      { code: 'conflict' },
    );
    assert.equal(readFileSync(key, 'utf8'), 'old key');
  });

  test('a file that appeared in the meantime is not replaced', (t) => {
    const directory = join(temporaryDirectory(t), 'pki');
    mkdirSync(directory);
    const path = join(directory, 'a.key');
    const changes = [replaceFile(target(path), 'ours', 0o600)];
    writeFileSync(path, 'theirs');
    assert.throws(
      () => {
        commit(changes, accept);
      },
      { code: 'conflict', file: path },
    );
    assert.equal(readFileSync(path, 'utf8'), 'theirs');
  });

  test('a directory that is not there is made with the change where that is asked for, and goes again when it is refused', (t) => {
    const { directory, key } = files(t);
    const make = { newDirectoryMode: 0o755 } as const;
    const inner = join(directory, 'etcd/inner/server.key');
    const changes = [replaceFile(target(key), 'new', 0o600), replaceFile(target(inner), 'inner', 0o600)];
    assert.throws(
      () => {
        commit(changes, accept);
      },
      { code: 'not-found', file: inner },
    );
    assert.throws(() => {
      commit(
        changes,
        () => {
          assert.ok(readdirSync(join(directory, 'etcd')).includes('inner'));
          throw new Error('refused');
        },
        make,
      );
    }, /refused/);
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
    commit(changes, accept, make);
    assert.equal(readFileSync(inner, 'utf8'), 'inner');
    assert.equal(statSync(join(directory, 'etcd')).mode & 0o7777, 0o755);
  });

  test('a symlink that took the place of a resolved target is not written through', (t) => {
    const { directory, key } = files(t);
    const changes = [replaceFile(target(join(directory, 'new.key')), 'secret', 0o600)];
    symlinkSync(key, join(directory, 'new.key'));
    assert.throws(
      () => {
        commit(changes, accept);
      },
      { code: 'conflict', file: join(directory, 'new.key') },
    );
    assert.equal(readFileSync(key, 'utf8'), 'old key');
  });
});

describe('a change that arrives bit by bit', () => {
  const staged = (directory: string): string[] =>
    filesIn(directory)
      .filter((name) => name.startsWith('.'))
      .map((name) => name.replace(/\.kubepki-[0-9a-f]{12}$/, ''))
      .sort();

  test('what has come is staged in the order announced, and no target is touched until all has', (t) => {
    const { directory, key, certificate } = files(t);
    const targets = [target(key), target(certificate)] as const;
    const transaction = open(targets);
    assert.deepEqual(staged(directory), []);
    transaction.stage(replaceFile(targets[0], 'new key', 0o600));
    assert.deepEqual(staged(directory), ['.apiserver.key']);
    transaction.stage(replaceFile(targets[1], 'new', 0o644));
    assert.deepEqual(staged(directory), ['.apiserver.crt', '.apiserver.key']);
    assert.equal(readFileSync(key, 'utf8'), 'old key');
    const read: string[] = [];
    const prepared = transaction.prepare({
      occasion,
      keepBackups: 5,
      verify: (readBack) => {
        read.push(...targets.map((one) => readBack(one).toString()));
      },
    });
    assert.deepEqual(read, ['new key', 'new']);
    assert.equal(readFileSync(key, 'utf8'), 'old key');
    prepared.finish();
    assert.deepEqual(
      [key, certificate].map((path) => readFileSync(path, 'utf8')),
      ['new key', 'new'],
    );
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
  });

  test('whatever comes first waits for those before it', (t) => {
    const { directory, key, certificate } = files(t);
    const targets = [target(key), target(certificate)] as const;
    const transaction = open(targets);
    transaction.stage(replaceFile(targets[1], 'new', 0o644));
    assert.deepEqual(staged(directory), []);
    transaction.stage(replaceFile(targets[0], 'new key', 0o600));
    assert.deepEqual(staged(directory), ['.apiserver.crt', '.apiserver.key']);
    transaction.prepare({ occasion, verify: accept, keepBackups: 5 }).finish();
    assert.deepEqual(
      [key, certificate].map((path) => readFileSync(path, 'utf8')),
      ['new key', 'new'],
    );
  });

  test('given up half-way it leaves no trace, and what comes later is not written', (t) => {
    const { directory, key, certificate } = files(t);
    const before = snapshot(directory);
    const targets = [target(key), target(certificate)] as const;
    const transaction = open(targets);
    transaction.stage(replaceFile(targets[0], 'new key', 0o600));
    transaction.abort();
    assert.deepEqual(changes(before, snapshot(directory)), []);
    transaction.stage(replaceFile(targets[1], 'new', 0o644));
    transaction.abort();
    assert.deepEqual(changes(before, snapshot(directory)), []);
  });

  test("given up when a user's own file is out of reach by then, it leaves no trace of its own", (t) => {
    const { directory, key } = files(t);
    const home = join(dirname(directory), 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'config'), 'old', { mode: 0o600 });
    const copy = { ...target(join(home, 'config')), yields: true } as const;
    const own = target(key);
    const transaction = open([own, copy]);
    for (const one of [own, copy]) transaction.stage(replaceFile(one, 'new', 0o600));
    renameSync(home, `${home}.away`);
    symlinkSync(directory, home);
    transaction.abort();
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
    assert.ok(!readdirSync(join(directory, '.kubepki')).includes('journal.json'));
  });

  test('one of which something is missing is not made', (t) => {
    const { directory, key, certificate } = files(t);
    const targets = [target(key), target(certificate)] as const;
    const transaction = open(targets);
    transaction.stage(replaceFile(targets[0], 'new key', 0o600));
    assert.throws(() => transaction.prepare({ occasion, verify: accept, keepBackups: 5 }), TypeError);
    transaction.abort();
    assert.deepEqual(filesIn(directory), ['apiserver.crt', 'apiserver.key']);
    assert.throws(() => {
      open(targets).stage(replaceFile(target(join(directory, 'other')), 'x', 0o600));
    }, TypeError);
  });

  test('a file that was changed meanwhile stays, and nothing is left', (t) => {
    const { directory, key, certificate } = files(t);
    const targets = [target(key), target(certificate)] as const;
    const transaction = open(targets);
    for (const one of targets) transaction.stage(replaceFile(one, 'new', 0o600));
    writeFileSync(key, "somebody else's");
    const before = snapshot(directory);
    assert.throws(() => transaction.prepare({ occasion, verify: accept, keepBackups: 5 }), {
      code: 'conflict',
    });
    transaction.abort();
    const after = changes(before, snapshot(directory));
    assert.deepEqual(staged(directory), []);
    assert.deepEqual(
      after.filter((line) => !line.includes('.kubepki')),
      [],
    );
    assert.equal(readFileSync(key, 'utf8'), "somebody else's");
  });
});

describe('old backups', () => {
  /** A change, or the rollback of one. @returns what is left, as the numbers of the changes */
  function change(
    t: { readonly key: string; readonly directory: string },
    restored: number | null,
    keepBackups: number | undefined,
  ): readonly number[] {
    const one = replaceFile(target(t.key), `${readFileSync(t.key, 'utf8')}.`, 0o600);
    const transaction = open([one.target]);
    transaction.stage(one);
    const place = restored === null ? null : { id: `number ${String(restored)}`, sequence: restored };
    transaction.prepare({ occasion: { ...occasion, restored: place }, verify: accept, keepBackups }).finish();
    return listBackups(stateFor(t.directory)).backups.map(({ sequence }) => sequence);
  }

  test('a rollback pushes none out, nor do those of rollbacks push out those of changes', (t) => {
    const at = files(t);
    for (let count = 0; count < 4; count += 1) change(at, null, 3);
    assert.deepEqual(change(at, 4, undefined), [5, 4, 3, 2]);
    assert.deepEqual(change(at, 3, undefined), [6, 5, 4, 3, 2]);
    assert.deepEqual(change(at, null, 3), [7, 6, 5, 4, 3]);
    assert.deepEqual(change(at, null, 3), [8, 7, 6, 5, 4]);
    // What is older than the oldest change that stays goes with it.
    assert.deepEqual(change(at, null, 3), [9, 8, 7]);
    assert.deepEqual(change(at, 9, 2), [10, 9, 8]);
    assert.deepEqual(change(at, null, 1), [11]);
  });

  test("those of changes of users' own files push out none but their like", (t) => {
    const at = files(t);
    const file = join(at.directory, 'config');
    writeFileSync(file, 'old', { mode: 0o600 });
    const copied = (): readonly number[] => {
      commit(
        [replaceFile({ ...target(file), yields: true }, `${readFileSync(file, 'utf8')}.`, 0o600)],
        accept,
      );
      return listBackups(stateFor(at.directory)).backups.map(({ sequence }) => sequence);
    };
    for (let count = 0; count < 5; count += 1) change(at, null, 5);
    for (let count = 0; count < 5; count += 1) copied();
    assert.deepEqual(copied(), [11, 10, 9, 8, 7, 5, 4, 3, 2, 1]);
    assert.deepEqual(change(at, null, 5), [12, 11, 10, 9, 8, 7, 5, 4, 3, 2]);
    assert.deepEqual(change(at, null, 1), [13]);
  });

  test('a number that was changed by hand does not make the later ones unreadable', (t) => {
    const at = files(t);
    change(at, null, 3);
    const backups = join(at.directory, '.kubepki/backups');
    const manifest = join(backups, readdirSync(backups)[0] ?? '', 'manifest.json');
    const last = 1_000_000_000;
    writeFileSync(
      manifest,
      readFileSync(manifest, 'utf8').replace('"sequence": 1,', `"sequence": ${String(last)},`),
    );
    assert.deepEqual(change(at, null, 3), [last, last]);
    change(at, null, 3);
    assert.equal(change(at, null, 3).length, 3);
  });

  for (const number of [Number.MAX_SAFE_INTEGER, 1_000_000_001, 0, -1, 1.5]) {
    test(`a backup with the number ${String(number)} is damaged, and no other`, (t) => {
      const at = files(t);
      change(at, null, 3);
      const backups = join(at.directory, '.kubepki/backups');
      const [id = ''] = readdirSync(backups);
      const manifest = join(backups, id, 'manifest.json');
      writeFileSync(
        manifest,
        readFileSync(manifest, 'utf8').replace('"sequence": 1,', `"sequence": ${String(number)},`),
      );
      assert.deepEqual(change(at, null, 3), [1]);
      const { damaged } = listBackups(stateFor(at.directory));
      assert.deepEqual(
        damaged.map((one) => one.id),
        [id],
      );
    });
  }
});
