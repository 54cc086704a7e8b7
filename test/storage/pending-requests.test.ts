import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import {
  dropPendingRequests,
  readPendingRequests,
  writePendingRequests,
  type PendingRequests,
} from '../../src/storage/pending-requests.ts';
import type { StateDirectory } from '../../src/storage/state-directory.ts';
import { stateFor } from '../support/state.ts';
import { temporaryDirectory } from '../support/tree.ts';

function stateIn(t: TestContext): StateDirectory {
  const certDir = join(temporaryDirectory(t), 'pki');
  mkdirSync(certDir);
  return stateFor(certDir);
}

function pendingIn({ kubeconfigDir }: StateDirectory): PendingRequests {
  return {
    kubeconfigDir,
    signerName: 'example.com/signer',
    command: 'kubepki certs renew a --use-api',
    requests: [
      {
        name: 'kubepki-cp1-a-01',
        certificate: 'a',
        request: 'PEM',
        usages: ['client auth'],
        expirationSeconds: 600,
        replaces: 'AB',
      },
    ],
  };
}

const keys = [{ name: 'kubepki-cp1-a-01', key: 'KEY' }];

describe('requests that wait', () => {
  test('are there again, for root alone, until they are dropped', (t) => {
    const state = stateIn(t);
    assert.equal(readPendingRequests(state), undefined);
    writePendingRequests(state, pendingIn(state), keys);
    assert.deepEqual(readPendingRequests(state), pendingIn(state));
    const directory = join(state.path, 'pending');
    assert.equal(statSync(directory).mode & 0o7777, 0o700);
    for (const file of readdirSync(directory)) {
      assert.equal(statSync(join(directory, file)).mode & 0o7777, 0o600, file);
    }
    dropPendingRequests(state);
    assert.equal(existsSync(directory), false);
    assert.equal(readPendingRequests(state), undefined);
    dropPendingRequests(state);
  });

  test('keys without a record are of nobody: they go with the next that is written', (t) => {
    const state = stateIn(t);
    writePendingRequests(state, pendingIn(state), keys);
    const directory = join(state.path, 'pending');
    writeFileSync(join(directory, 'kubepki-old-b-02.key'), 'OLD');
    writeFileSync(join(directory, 'mine.txt'), 'not ours');
    writePendingRequests(state, pendingIn(state), keys);
    assert.deepEqual(readdirSync(directory).sort(), ['kubepki-cp1-a-01.key', 'mine.txt', 'requests.json']);
    dropPendingRequests(state);
    assert.deepEqual(readdirSync(directory), ['mine.txt']);
  });

  test('a record that cannot be used is never nothing', (t) => {
    const state = stateIn(t);
    writePendingRequests(state, pendingIn(state), keys);
    const path = join(state.path, 'pending', 'requests.json');
    const good = readFileSync(path, 'utf8');
    const bad = [
      '',
      '{}',
      good.replace('"version": 1', '"version": 2'),
      good.replace('kubepki-cp1-a-01', '../../etc/passwd'),
      good.replace('"certificate"', '"other"'),
      good.replace(/"requests": \[[^]*\]/, '"requests": []'),
      good.replace(/"certDir": "[^"]*"/, '"certDir": "elsewhere"'),
    ];
    for (const text of bad) {
      assert.notEqual(text, good);
      writeFileSync(path, text);
      chmodSync(path, 0o600);
      assert.throws(() => readPendingRequests(state), { code: 'unfinished', file: path }, text);
    }
  });

  test('a directory that others may write to is not used', (t) => {
    const state = stateIn(t);
    mkdirSync(join(state.path, 'pending'), { recursive: true });
    chmodSync(join(state.path, 'pending'), 0o777);
    assert.throws(
      () => {
        writePendingRequests(state, pendingIn(state), keys);
      },
      { code: 'no-permission' },
    );
  });
});
