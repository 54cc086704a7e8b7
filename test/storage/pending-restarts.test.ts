import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { sha256 } from '../../src/filesystem/regular-file.ts';
import {
  readPendingRestarts,
  unusablePendingRestarts,
  writePendingRestarts,
  type PendingRestarts,
} from '../../src/storage/pending-restarts.ts';
import type { StateDirectory } from '../../src/storage/state-directory.ts';
import { stateFor } from '../support/state.ts';
import { temporaryDirectory, type Cleanup } from '../support/tree.ts';

const boot = 'this boot';
const none = { restarts: [], terms: {} };

function stateIn(t: Cleanup): StateDirectory {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'kubernetes/pki'), { recursive: true });
  const state = stateFor(join(directory, 'kubernetes/pki'), { root: directory });
  mkdirSync(state.path, { mode: 0o700 });
  return state;
}

function pendingIn({ kubeconfigDir }: StateDirectory): PendingRestarts {
  const path = join(kubeconfigDir, 'scheduler.conf');
  writeFileSync(path, 'new');
  return {
    restarts: [{ component: 'kube-scheduler', files: [{ path, sha256: sha256(Buffer.from('new')) }] }],
    terms: { manifestsDir: join(kubeconfigDir, 'pods'), settle: 0, stopTimeout: 1000, startTimeout: 2000 },
  };
}

function fileOf(state: StateDirectory): string {
  return join(state.path, 'pending-restarts.json');
}

function stored(state: StateDirectory): Record<string, unknown> {
  return JSON.parse(readFileSync(fileOf(state), 'utf8')) as Record<string, unknown>;
}

describe('restarts that are left', () => {
  test('keep how they were asked for, with paths as they are inside the root', (t) => {
    const state = stateIn(t);
    writePendingRestarts(state, pendingIn(state), boot);
    assert.deepEqual(readPendingRestarts(state, boot), pendingIn(state));
    assert.deepEqual(stored(state)['terms'], {
      manifestsDir: { in: 'root', path: 'kubernetes/pods' },
      settle: 0,
      stopTimeout: 1000,
      startTimeout: 2000,
    });
    assert.ok(!readFileSync(fileOf(state), 'utf8').includes(state.root.directory));
  });

  test('and their terms go with a reboot, and with a change that is taken back', (t) => {
    const state = stateIn(t);
    writePendingRestarts(state, pendingIn(state), boot);
    assert.deepEqual(readPendingRestarts(state, 'the next boot'), none);
    writeFileSync(join(state.kubeconfigDir, 'scheduler.conf'), 'old');
    assert.deepEqual(readPendingRestarts(state, boot), none);
    assert.equal(unusablePendingRestarts(state), undefined);
  });

  test('that a reboot has settled stop nothing, though their files cannot be reached from here', (t) => {
    const state = stateIn(t);
    writePendingRestarts(state, pendingIn(state), boot);
    const record = stored(state) as { origin: object };
    const elsewhere = { ...record, origin: { ...record.origin, certDir: '/elsewhere', kubeconfigDir: null } };
    writeFileSync(fileOf(state), JSON.stringify(elsewhere));
    assert.deepEqual(readPendingRestarts(state, 'the next boot'), none);
    assert.throws(() => readPendingRestarts(state, boot), { code: 'unfinished' });
  });

  for (const [what, damage] of [
    ['is of a later version', { version: 2 }],
    ['has a time that is none', { terms: { settle: 'soon' } }],
    ['has a time before none', { terms: { stopTimeout: -1 } }],
    ['has a directory that is no path', { terms: { manifestsDir: 7 } }],
    ['has terms that are none', { terms: 'as ever' }],
  ] as const) {
    test(`a file that ${what} is nothing to restart, and told of`, (t) => {
      const state = stateIn(t);
      writePendingRestarts(state, pendingIn(state), boot);
      writeFileSync(fileOf(state), JSON.stringify({ ...stored(state), ...damage }));
      assert.deepEqual(readPendingRestarts(state, boot), none);
      const error = unusablePendingRestarts(state);
      assert.equal(error?.file, fileOf(state));
      assert.match(error.message, /no record of restarts that kubepki understands/);
    });
  }
});
