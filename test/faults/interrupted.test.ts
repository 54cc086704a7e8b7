/** SIGINT and SIGTERM at every system call that changes a file: nothing half-done, nothing for `recover` to do. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { changes, copyFixture, snapshot, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy, setState } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { sampleKinds } from './sample.ts';
import { inject, pointsOf, renewal, treeAt } from './scenario.ts';

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

test('interrupted at any call: nothing is changed, or everything, and the exit code says it was interrupted', async (t) => {
  const strace = judge(t, 'strace');
  if (strace === undefined) return;
  const points = await pointsOf(t, strace, renewal);
  const chosen = sampleKinds(points, 48);
  const before = snapshot(copyFixture(t, 'ipv6').directory);
  // The decision falls between preparing and committing: before the journal is written for the second time. The way is
  // cleared for it each time, and once at the start of the run.
  const [, , decision] = points.filter(
    ({ call, line }) => call === 'unlink' && line.includes('journal.json.new'),
  );
  assert.ok(decision);
  const states = { old: 0, new: 0 };
  const scratch = temporaryDirectory(t);
  await forEachParallel([...chosen.entries()], async ([index, point]) => {
    const directory = join(scratch, `signal-${String(index)}`);
    const [signal, code] = signals[index % 2] ?? signals[0];
    const run = await inject(strace, scratch, directory, renewal, point, points, {
      kind: 'signalled',
      effect: `signal=${signal}`,
    });
    const where = `${signal} at ${point.line}\n${run.stderr}`;
    assert.equal(run.code, code, where);
    const after = snapshot(directory);
    const state = setState(before, after);
    states[state] += 1;
    assert.equal(state, points.indexOf(point) < points.indexOf(decision) ? 'old' : 'new', where);
    if (state === 'old') {
      assert.deepEqual(changes(before, after), [], where);
      assert.match(run.stderr, /^interrupted: nothing was changed$/m);
      assert.equal(run.stdout, '', where);
    } else {
      assert.match(run.stderr, /^interrupted: the change is done and complete$/m);
      assert.match(run.stdout, /Done renewing certificates/);
      requireSound(treeAt(directory), join(scratch, `sound-${String(index)}`));
      requireTidy(treeAt(directory));
    }
    rmSync(directory, { recursive: true });
  });
  t.diagnostic(
    `${String(chosen.length)} interruptions: ${String(states.old)} times nothing was changed, ${String(states.new)} times everything`,
  );
  assert.ok(states.old > 0 && states.new > 0);
});
