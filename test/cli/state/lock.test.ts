import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { holdLock, lockFile } from '../../support/machine/lock-holder.ts';
import { certs, quickTree, stateDirectory } from '../../support/node.ts';
import { changes, snapshot } from '../../support/tree.ts';

describe('the lock', () => {
  test('a second run waits for its time, then leaves with 7, naming the holder', async (t) => {
    const copy = quickTree(t);
    writeFileSync(lockFile(copy), '{"pid":4242,"command":"x"}\n');
    if ((await holdLock(t, lockFile(copy))) === undefined) return;
    const before = snapshot(copy.directory);
    const outcome = await certs(copy, 'renew', 'all', '--lock-timeout', '300ms');
    assert.equal(outcome.code, 7);
    assert.match(outcome.stderr, /^error: another run \(pid 4242\) is at work on these certificates\nhint: /);
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
  });

  test('a holder that dies does not block the next run', async (t) => {
    const copy = quickTree(t);
    const holder = await holdLock(t, lockFile(copy));
    if (holder === undefined) return;
    holder.kill();
    const outcome = await certs(copy, 'renew', 'apiserver', '--lock-timeout', '60s');
    assert.equal(outcome.code, 0, outcome.stderr);
  });

  test('a run that waits goes on as soon as the holder has ended', async (t) => {
    const copy = quickTree(t);
    const holder = await holdLock(t, lockFile(copy));
    if (holder === undefined) return;
    const waiting = certs(copy, 'renew', 'apiserver', '--lock-timeout', '5m');
    holder.kill();
    const outcome = await waiting;
    assert.equal(outcome.code, 0, outcome.stderr);
  });

  test('a journal under a lock is a run at work, not one that was interrupted', async (t) => {
    const copy = quickTree(t);
    const holder = await holdLock(t, lockFile(copy));
    writeFileSync(join(stateDirectory(copy), 'journal.json'), '{}');
    if (holder === undefined) return;
    const meanwhile = await certs(copy, 'check-expiration');
    assert.deepEqual(
      [meanwhile.code, meanwhile.stderr],
      [0, 'note: another run is changing these certificates at this moment\n'],
    );
    holder.kill();
    const afterwards = await certs(copy, 'check-expiration');
    assert.equal(afterwards.code, 0);
    assert.match(afterwards.stderr, /^warning: an unfinished change is waiting /);
  });
});
