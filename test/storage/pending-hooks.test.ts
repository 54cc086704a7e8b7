import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '../../src/filesystem/regular-file.ts';
import {
  claimPendingHooks,
  dropPendingHook,
  hasPendingHooks,
  rewritePendingHook,
  tidyPendingHooks,
  writePendingHook,
  type ClaimedHook,
  type PendingHook,
} from '../../src/storage/pending-hooks.ts';
import type { StateDirectory } from '../../src/storage/state-directory.ts';
import { stateFor } from '../support/state.ts';
import { temporaryDirectory, type Cleanup } from '../support/tree.ts';

const backup = '2026-11-25T034124.279Z-65a4c0';
const later = '2026-11-26T034124.279Z-65a4c0';

function stateBelow(directory: string): StateDirectory {
  return stateFor(join(directory, 'kubernetes/pki'), { root: directory });
}

function stateIn(t: Cleanup): StateDirectory {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'kubernetes/pki'), { recursive: true });
  const state = stateBelow(directory);
  mkdirSync(state.path, { mode: 0o700 });
  return state;
}

/** Of a change that has been made, unless `content` is something else. */
function hookIn({ certDir }: StateDirectory, content = 'new'): PendingHook {
  const path = join(certDir, 'a.crt');
  writeFileSync(path, 'new');
  return {
    backup,
    command: 'renew',
    names: ['apiserver'],
    files: [path],
    components: ['kube-apiserver'],
    puts: [{ path, sha256: sha256(Buffer.from(content)) }],
  };
}

/** Left by a run that has ended: what a run writes itself is its own until then. */
function leave(state: StateDirectory, hook: PendingHook): void {
  rewritePendingHook(state, hook);
}

function owed(state: StateDirectory): readonly PendingHook[] {
  const claimed = claimPendingHooks(state);
  for (const { release } of claimed) release();
  return claimed.map(({ hook }) => hook);
}

function recordOf(state: StateDirectory): string {
  return join(state.path, `hook-${backup}.json`);
}

describe('a deploy hook that is owed', () => {
  test('is there again, for root alone, with paths as they are inside the root', (t) => {
    const state = stateIn(t);
    const hook = hookIn(state);
    leave(state, hook);
    assert.deepEqual(owed(state), [hook]);
    assert.deepEqual(readdirSync(state.path), [`hook-${backup}.json`]);
    assert.equal(statSync(recordOf(state)).mode & 0o7777, 0o600);
    const text = readFileSync(recordOf(state), 'utf8');
    assert.match(text, /"in": "cert-dir",\s+"path": "a\.crt"/);
    assert.ok(!text.includes(state.root.directory));
    // The same disk, mounted elsewhere.
    const elsewhere = join(temporaryDirectory(t), 'mnt');
    renameSync(state.root.directory, elsewhere);
    mkdirSync(state.root.directory);
    assert.deepEqual(
      owed(stateBelow(elsewhere)).map(({ files }) => files),
      [[join(elsewhere, 'kubernetes/pki/a.crt')]],
    );
  });

  test("is its own run's as long as that lives, and one run's at a time", (t) => {
    const state = stateIn(t);
    writePendingHook(state, hookIn(state));
    assert.deepEqual(owed(state), []);
    dropPendingHook(state, backup);
    assert.equal(existsSync(recordOf(state)), false);
    leave(state, hookIn(state));
    const [claimed] = claimPendingHooks(state) as readonly [ClaimedHook];
    assert.deepEqual(owed(state), []);
    claimed.release();
    assert.equal(owed(state).length, 1);
    const [again] = claimPendingHooks(state) as readonly [ClaimedHook];
    again.drop();
    assert.deepEqual([owed(state), readdirSync(state.path)], [[], []]);
  });

  test('the oldest comes first', (t) => {
    const state = stateIn(t);
    leave(state, { ...hookIn(state), backup: later });
    leave(state, hookIn(state));
    assert.deepEqual(
      owed(state).map((hook) => hook.backup),
      [backup, later],
    );
  });

  test('is forgotten where its change was never made, or taken back', (t) => {
    const state = stateIn(t);
    leave(state, hookIn(state, 'never put there'));
    assert.deepEqual(owed(state), []);
    assert.deepEqual(tidyPendingHooks(state), []);
    assert.deepEqual(readdirSync(state.path), []);
  });

  test('a file that the change takes away tells of it, too', (t) => {
    const state = stateIn(t);
    const hook = { ...hookIn(state), puts: [{ path: join(state.certDir, 'gone'), sha256: null }] };
    leave(state, hook);
    tidyPendingHooks(state);
    assert.deepEqual(owed(state), [hook]);
    writeFileSync(join(state.certDir, 'gone'), 'still there');
    tidyPendingHooks(state);
    assert.deepEqual(readdirSync(state.path), []);
  });

  test('a record in a copy of the cert dir speaks of the copy', (t) => {
    const state = stateIn(t);
    leave(state, hookIn(state));
    const copy = stateIn(t);
    writeFileSync(recordOf(copy), readFileSync(recordOf(state), 'utf8'));
    const hook = hookIn(copy);
    assert.deepEqual(owed(copy), [hook]);
  });

  test('a record that speaks of a file that cannot be reached is told of, and stays', (t) => {
    const state = stateIn(t);
    const elsewhere = join(state.root.directory, 'elsewhere.crt');
    writeFileSync(elsewhere, 'new');
    leave(state, { ...hookIn(state), files: [elsewhere] });
    const stored = readFileSync(recordOf(state), 'utf8');
    // As if the cert dir were mounted at another place of the container in which it was written.
    writeFileSync(recordOf(state), stored.replace('"/kubernetes/pki"', '"/mounted"'));
    assert.deepEqual(owed(state), []);
    const [error, ...others] = tidyPendingHooks(state);
    assert.deepEqual(others, []);
    assert.equal(error?.file, '/elsewhere.crt');
    assert.match(error.message, /^cannot be reached: .* the cert dir was \/mounted/);
    assert.ok(existsSync(recordOf(state)));
  });

  test('what a killed run has left half-written goes', (t) => {
    const state = stateIn(t);
    leave(state, hookIn(state));
    writeFileSync(`${recordOf(state)}.new`, '{');
    assert.deepEqual(tidyPendingHooks(state), []);
    assert.deepEqual(readdirSync(state.path), [`hook-${backup}.json`]);
  });

  const change = (field: string, value: unknown) => (text: string) =>
    JSON.stringify({ ...(JSON.parse(text) as object), [field]: value });
  for (const [what, damage] of [
    ['is no JSON', () => '{"version": 1'],
    ['is of a later version', change('version', 2)],
    ['has no names', change('names', undefined)],
    ['names what no certificate is called', change('names', ['$(reboot)'])],
    ['has a command with words for a shell', change('command', 'renew; reboot')],
    ['has a component with a space', change('components', ['kube apiserver'])],
    ['has a path that is none', change('files', [{ in: 'cert-dir', path: '/absolute' }])],
    ['has a path in a directory of another kind', change('files', [{ in: 'home', path: 'a' }])],
    ['has a path that no environment can hold', change('files', [{ in: 'cert-dir', path: 'a\0b' }])],
  ] as const) {
    test(`a record that ${what} is told of, and stays`, (t) => {
      const state = stateIn(t);
      leave(state, hookIn(state));
      writeFileSync(recordOf(state), damage(readFileSync(recordOf(state), 'utf8')));
      assert.deepEqual(owed(state), []);
      const [error, ...others] = tidyPendingHooks(state);
      assert.deepEqual(others, []);
      assert.equal(error?.file, recordOf(state));
      assert.match(error.message, /no record of a deploy hook that kubepki understands/);
      assert.ok(existsSync(recordOf(state)));
    });
  }
});

describe('a hook is owed', () => {
  test('where its change stands, and not where that was never made or taken back', (t) => {
    const state = stateIn(t);
    assert.equal(hasPendingHooks(state), false);
    writePendingHook(state, hookIn(state));
    assert.equal(hasPendingHooks(state), true);
    writeFileSync(join(state.certDir, 'a.crt'), 'old');
    assert.equal(hasPendingHooks(state), false);
  });

  test('also where its record cannot be understood', (t) => {
    const state = stateIn(t);
    writeFileSync(join(state.path, `hook-${backup}.json`), '{', { mode: 0o600 });
    assert.equal(hasPendingHooks(state), true);
  });
});
