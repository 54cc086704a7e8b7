import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { certs, quickTree, stateDirectory } from '../support/node.ts';
import { changes, snapshot, type Tree } from '../support/tree.ts';

describe('the lock', () => {
  /** Holds the kernel's lock on the cert dir until it is killed. */
  async function holder(t: TestContext, copy: Tree, flock: string): Promise<{ kill: () => void }> {
    const child = spawn(flock, ['-x', copy.certDir, 'sh', '-c', 'echo held; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
    });
    const kill = (): void => {
      if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
        process.kill(-child.pid, 'SIGKILL');
    };
    t.after(kill);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { kill };
  }

  test('a second run waits for its time, then leaves with 7, naming the holder', async (t) => {
    const flock = judge(t, 'flock');
    if (flock === undefined) return;
    const copy = quickTree(t);
    mkdirSync(stateDirectory(copy), { mode: 0o700 });
    writeFileSync(join(stateDirectory(copy), 'holder'), '{"pid":4242,"command":"x"}\n');
    await holder(t, copy, flock);
    const before = snapshot(copy.directory);
    const outcome = await certs(copy, 'renew', 'all', '--lock-timeout', '300ms');
    assert.equal(outcome.code, 7);
    assert.match(outcome.stderr, /^error: another run \(pid 4242\) is at work on these certificates\nhint: /);
    assert.deepEqual(changes(before, snapshot(copy.directory), { inodes: true }), []);
  });

  test('a holder that dies does not block the next run', async (t) => {
    const flock = judge(t, 'flock');
    if (flock === undefined) return;
    const copy = quickTree(t);
    const { kill } = await holder(t, copy, flock);
    kill();
    const outcome = await certs(copy, 'renew', 'apiserver', '--lock-timeout', '60s');
    assert.equal(outcome.code, 0, outcome.stderr);
  });

  test('a run that waits goes on as soon as the holder has ended', async (t) => {
    const flock = judge(t, 'flock');
    if (flock === undefined) return;
    const copy = quickTree(t);
    const { kill } = await holder(t, copy, flock);
    const waiting = certs(copy, 'renew', 'apiserver', '--lock-timeout', '5m');
    kill();
    const outcome = await waiting;
    assert.equal(outcome.code, 0, outcome.stderr);
  });

  test('a journal under a lock is a run at work, not one that was interrupted', async (t) => {
    const flock = judge(t, 'flock');
    if (flock === undefined) return;
    const copy = quickTree(t);
    mkdirSync(stateDirectory(copy), { mode: 0o700 });
    writeFileSync(join(stateDirectory(copy), 'journal.json'), '{}');
    const { kill } = await holder(t, { ...copy, certDir: copy.kubeconfigDir }, flock);
    const meanwhile = await certs(copy, 'check-expiration');
    assert.deepEqual(
      [meanwhile.code, meanwhile.stderr],
      [0, 'note: another run is changing these certificates at this moment\n'],
    );
    kill();
    const afterwards = await certs(copy, 'check-expiration');
    assert.equal(afterwards.code, 0);
    assert.match(afterwards.stderr, /^warning: an unfinished change is waiting /);
  });
});
