/** The files of a rotation change like any other: all or nothing, with those of the cert dir. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import fc from '../support/properties.ts';
import { replaceFile, type ChangeSet, type FileTarget } from '../../src/changeset/change-set.ts';
import { readRegularFile } from '../../src/filesystem/regular-file.ts';
import { stages, type RotationPlan } from '../../src/operations/rotation/plan.ts';
import { rollBack } from '../../src/operations/rollback/rollback.ts';
import { listBackups, readBackupFile } from '../../src/storage/backup.ts';
import { discard, recover } from '../../src/storage/recovery.ts';
import { readRotationFile, readRotationPlan } from '../../src/storage/rotation-files.ts';
import { planText } from '../../src/operations/rotation/plan-text.ts';
import { parseRotationPlan } from '../../src/storage/rotation-plan.ts';
import type { StateDirectory } from '../../src/storage/state-directory.ts';
import { openTransaction, rehearse } from '../../src/storage/transaction.ts';
import { mayChown } from '../support/root.ts';
import { stateFor } from '../support/state.ts';
import { changes as treeChanges, snapshot, temporaryDirectory } from '../support/tree.ts';

const plan: RotationPlan = {
  id: '0123456789abcdef',
  createdAt: '2026-11-29T12:00:00Z',
  authorities: [
    { name: 'ca', old: 'A'.repeat(64), next: 'B'.repeat(64), cross: 'C'.repeat(64) },
    { name: 'etcd-ca', old: 'D'.repeat(64), next: 'E'.repeat(64), cross: 'F'.repeat(64) },
  ],
  accepted: [{ condition: 'issued-clients', stage: 'distrust', time: '2026-11-30T12:00:00Z' }],
};

const accept = (): void => undefined;

function commit(
  state: StateDirectory,
  changes: ChangeSet,
  { keepBackups = 5, verify = accept } = {},
): string {
  const occasion = {
    time: new Date().toISOString(),
    command: 'kubepki test',
    user: 'root',
    certificates: [],
    restored: null,
  };
  const targets = changes.map(({ target }) => target);
  const transaction = openTransaction(state, targets, { occasion });
  for (const change of changes) transaction.stage(change);
  return transaction.prepare({ occasion, verify, keepBackups }).finish().backup;
}

function certDir(t: TestContext): { readonly state: StateDirectory; readonly certificate: string } {
  const directory = join(temporaryDirectory(t), 'pki');
  mkdirSync(directory);
  const certificate = join(directory, 'ca.crt');
  writeFileSync(certificate, 'old', { mode: 0o644 });
  return { state: stateFor(directory), certificate };
}

function at(path: string): FileTarget {
  return { path, resolvedPath: path, before: readRegularFile(path, path)?.facts };
}

/** What a stage does: a plan, a key, and a file of the cert dir. */
function prepare(state: StateDirectory, certificate: string): ChangeSet {
  return [
    replaceFile(at(certificate), 'new', 0o644),
    replaceFile(readRotationFile(state, 'plan.json').target, planText(plan), 0o600),
    replaceFile(readRotationFile(state, 'ca.next.key').target, 'secret', 0o600),
  ];
}

function takenAway(state: StateDirectory): ChangeSet {
  return (['plan.json', 'ca.next.key'] as const).map((name) => ({
    target: readRotationFile(state, name).target,
    after: undefined,
  }));
}

function directoryOf(state: StateDirectory): string {
  return join(state.path, 'rotation');
}

describe('the files of a rotation in a change', () => {
  test('are made with the others, for us alone, whatever the umask', (t) => {
    const { state, certificate } = certDir(t);
    const umask = process.umask(0o000);
    t.after(() => process.umask(umask));
    commit(state, prepare(state, certificate));
    assert.equal(readFileSync(certificate, 'utf8'), 'new');
    assert.equal(statSync(directoryOf(state)).mode & 0o7777, 0o700);
    for (const name of readdirSync(directoryOf(state))) {
      assert.equal(statSync(join(directoryOf(state), name)).mode & 0o7777, 0o600, name);
    }
    assert.deepEqual(readdirSync(directoryOf(state)), ['ca.next.key', 'plan.json']);
    assert.deepEqual(readRotationPlan(state)?.plan, plan);
  });

  test('a refusal leaves neither them nor their directory', (t) => {
    const { state, certificate } = certDir(t);
    assert.throws(() => {
      commit(state, prepare(state, certificate), {
        verify: () => {
          assert.ok(existsSync(directoryOf(state)));
          throw new Error('refused');
        },
      });
    }, /refused/);
    assert.equal(readFileSync(certificate, 'utf8'), 'old');
    assert.deepEqual(readdirSync(state.path), ['backups']);
  });

  test('a dry run makes none, and takes them for possible', (t) => {
    const { state, certificate } = certDir(t);
    rehearse(state, { changes: prepare(state, certificate), verify: accept });
    assert.equal(existsSync(state.path), false);
  });

  test('the directory goes with the last of them, and a rollback brings both back', (t) => {
    const { state, certificate } = certDir(t);
    commit(state, prepare(state, certificate));
    const before = snapshot(directoryOf(state));
    const backup = commit(state, takenAway(state));
    assert.equal(existsSync(directoryOf(state)), false);
    assert.equal(readRotationPlan(state), undefined);
    commit(state, backToBefore(state, backup));
    assert.deepEqual(treeChanges(before, snapshot(directoryOf(state))), []);
  });

  test('a rollback of the change that made them takes them away', (t) => {
    const { state, certificate } = certDir(t);
    const backup = commit(state, prepare(state, certificate));
    commit(state, backToBefore(state, backup));
    assert.equal(readFileSync(certificate, 'utf8'), 'old');
    assert.equal(existsSync(directoryOf(state)), false);
  });

  test('as long as there is a plan no backup goes: each is a way back', (t) => {
    const { state, certificate } = certDir(t);
    commit(state, prepare(state, certificate));
    const before = snapshot(directoryOf(state));
    for (const text of ['1', '2', '3']) {
      commit(state, [replaceFile(at(certificate), text, 0o644)], { keepBackups: 1 });
    }
    assert.equal(listBackups(state).backups.length, 4);
    assert.deepEqual(treeChanges(before, snapshot(directoryOf(state))), []);
    commit(state, takenAway(state), { keepBackups: 1 });
    assert.equal(listBackups(state).backups.length, 1);
  });

  test('a directory that others can write to, a link, or a file in its place is refused', (t) => {
    const { state, certificate } = certDir(t);
    const changes = prepare(state, certificate);
    mkdirSync(state.path, { mode: 0o700 });
    const elsewhere = temporaryDirectory(t);
    const refused = (): void => {
      assert.throws(() => commit(state, changes), { code: 'no-permission', file: directoryOf(state) });
      assert.throws(
        () => {
          rehearse(state, { changes, verify: accept });
        },
        { code: 'no-permission' },
      );
      assert.throws(() => readRotationPlan(state), { code: 'no-permission' });
    };
    symlinkSync(elsewhere, directoryOf(state));
    refused();
    assert.deepEqual(readdirSync(elsewhere), []);
    assert.equal(readFileSync(certificate, 'utf8'), 'old');
  });

  test("another user's file or directory is not read as ours", (t) => {
    if (!mayChown(t)) return;
    const { state, certificate } = certDir(t);
    commit(state, prepare(state, certificate));
    chownSync(join(directoryOf(state), 'plan.json'), 65534, 65534);
    assert.throws(() => readRotationPlan(state), { code: 'not-a-file', message: /belongs to uid 65534/ });
    chownSync(join(directoryOf(state), 'plan.json'), 0, 0);
    chownSync(directoryOf(state), 65534, 65534);
    assert.throws(() => readRotationPlan(state), { code: 'no-permission', message: /belongs to uid 65534/ });
    chownSync(directoryOf(state), 0, 0);
    chmodSync(directoryOf(state), 0o777);
    assert.throws(() => readRotationPlan(state), { code: 'no-permission' });
  });

  test('a journal that is not understood: discard finds what was staged among them', (t) => {
    const { state, certificate } = certDir(t);
    commit(state, prepare(state, certificate));
    const staged = join(directoryOf(state), '.ca.next.key.kubepki-0123456789ab');
    writeFileSync(staged, 'secret');
    writeFileSync(state.journal, 'damaged');
    discard(state);
    assert.equal(existsSync(staged), false);
    assert.deepEqual(readdirSync(directoryOf(state)), ['ca.next.key', 'plan.json']);
  });

  test('recovery goes on where the directory went with the last of them, and the journal stayed', (t) => {
    const { state, certificate } = certDir(t);
    commit(state, prepare(state, certificate));
    const before = readRotationFile(state, 'plan.json').target;
    const transaction = openTransaction(
      state,
      takenAway(state).map(({ target }) => target),
      {
        occasion: { time: new Date().toISOString(), command: 'kubepki test' },
      },
    );
    // What a power cut leaves of the last moment: nothing of it is there but the journal.
    const journal = readFileSync(state.journal, 'utf8');
    transaction.abort();
    commit(state, takenAway(state));
    writeFileSync(state.journal, journal.replace('"preparing"', '"committed"'), { mode: 0o600 });
    assert.equal(recover(state).outcome, 'completed');
    assert.equal(existsSync(directoryOf(state)), false);
    assert.equal(existsSync(before.resolvedPath), false);
    assert.equal(existsSync(state.journal), false);
  });
});

function backToBefore(state: StateDirectory, id: string): ChangeSet {
  const backup = listBackups(state).backups.find((one) => one.id === id);
  assert.ok(backup);
  return rollBack(
    backup.files.map((file) => {
      const content = readBackupFile(state, id, file);
      const target = at(file.path);
      if (file.old === null || content === undefined) return { target, old: undefined };
      const { sha256, mode, uid, gid } = file.old;
      return { target, old: { content, sha256, mode, owner: { uid, gid }, foreign: false } };
    }),
  );
}

describe('the plan of a rotation', () => {
  const hex = (length: number, digits: string): fc.Arbitrary<string> =>
    fc
      .array(fc.constantFrom(...digits.split('')), { minLength: length, maxLength: length })
      .map((chosen) => chosen.join(''));
  const fingerprint = hex(64, '0123456789ABCDEF');
  const time = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
    .map((date) => `${date.toISOString().slice(0, 19)}Z`);
  const anyPlan: fc.Arbitrary<RotationPlan> = fc.record({
    id: hex(16, '0123456789abcdef'),
    createdAt: time,
    authorities: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom('ca' as const, 'etcd-ca' as const, 'front-proxy-ca' as const),
        old: fingerprint,
        next: fingerprint,
        cross: fingerprint,
      }),
      { minLength: 1, selector: ({ name }) => name },
    ),
    accepted: fc.array(
      fc.record({
        condition: fc.stringMatching(/^[a-z0-9-]{1,64}$/),
        stage: fc.constantFrom(...stages),
        time,
      }),
    ),
  });

  test('what is written is read', () => {
    fc.assert(
      fc.property(anyPlan, (one) => {
        assert.deepEqual(parseRotationPlan(Buffer.from(planText(one))), structuredClone(one));
      }),
    );
  });

  const text = planText(plan);
  for (const [what, changed] of [
    ['an unknown stage', text.replace('"distrust"', '"done"')],
    ['a fingerprint in lower case', text.replace('A'.repeat(64), 'a'.repeat(64))],
    ['a fingerprint that is cut off', text.replace('B'.repeat(64), 'B'.repeat(63))],
    ['a fingerprint twice', text.replace('B'.repeat(64), 'A'.repeat(64))],
    ['an unknown CA', text.replace('"etcd-ca"', '"other-ca"')],
    ['a CA twice', text.replace('"etcd-ca"', '"ca"')],
    ['no CA', JSON.stringify({ ...JSON.parse(text), authorities: [] })],
    ['a time of no day', text.replace('2026-11-29T', '2026-13-29T')],
    ['another version', text.replace('"version": 1', '"version": 2')],
    ['a condition with a line break', text.replace('issued-clients', 'issued\\nclients')],
    ['no JSON', text.slice(1)],
    ['nothing', ''],
  ] as const) {
    test(`${what} is refused, with the file and the next step`, (t) => {
      const { state } = certDir(t);
      mkdirSync(directoryOf(state), { recursive: true, mode: 0o700 });
      chmodSync(state.path, 0o700);
      const file = join(directoryOf(state), 'plan.json');
      writeFileSync(file, changed, { mode: 0o600 });
      assert.throws(() => readRotationPlan(state), {
        code: 'unfinished',
        file,
        hint: /kubepki certs history/,
      });
    });
  }
});
