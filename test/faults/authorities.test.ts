/** The same proofs for `ca renew`: killed at a call, or a call fails, and what is left is all old or all new, and verifies. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { changes, copyFixture, snapshot, temporaryDirectory } from '../support/tree.ts';
import { authoritiesState, requireSound, requireTidy } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { seeded } from './sample.ts';
import { authorityRenewal, inject, pointsOf, treeAt, type Fault } from './scenario.ts';
import { kubepkiInProcess as kubepki } from '../support/in-process.ts';

const faults: readonly Fault[] = [
  { kind: 'killed', effect: 'signal=SIGKILL' },
  { kind: 'failed', effect: 'error=EIO' },
  { kind: 'failed', effect: 'error=ENOSPC' },
  { kind: 'failed', effect: 'error=EIO', lasting: true },
];

test('ca renew: killed or failing at any call, it leaves all CAs old or all new', async (t) => {
  const strace = judge(t, 'strace');
  if (strace === undefined) return;
  const points = await pointsOf(t, strace, authorityRenewal);
  const chosen = seeded(points, { all: 45, short: 8 }).flatMap((point, index) =>
    // A death at each; of the errors one, each in its turn.
    faults
      .filter((_, number) => number === 0 || number === 1 + (index % (faults.length - 1)))
      .map((fault) => ({ point, fault })),
  );
  const before = snapshot(copyFixture(t, 'ipv6').directory);
  const scratch = temporaryDirectory(t);
  const states = { old: 0, new: 0 };
  await forEachParallel([...chosen.entries()], async ([index, { point, fault }]) => {
    const directory = join(scratch, `fault-${String(index)}`);
    const run = await inject(strace, scratch, directory, authorityRenewal, point, points, fault);
    const where = `${fault.effect} at ${point.line}: exit ${String(run.code)}\n${run.stderr}`;
    assert.doesNotMatch(run.stderr, /internal error|\n\s+at /, where);
    if (fault.kind === 'failed' && run.code === 1 && fault.lasting !== true) {
      assert.deepEqual(changes(before, snapshot(directory)), [], where);
    }
    const recovered = await kubepki(['certs', 'recover', '--rootfs', directory]);
    assert.equal(recovered.code, 0, `${where}${recovered.stderr}`);
    const state = authoritiesState(before, snapshot(directory));
    if (run.stdout.includes(' renewed, ends ')) assert.equal(state, 'new', where);
    if (fault.kind === 'failed' && run.code !== 9) assert.equal(state, run.code === 0 ? 'new' : 'old', where);
    states[state] += 1;
    requireSound(treeAt(directory), join(scratch, `sound-${String(index)}`));
    requireTidy(treeAt(directory));
    rmSync(directory, { recursive: true });
  });
  t.diagnostic(
    `${String(chosen.length)} faults in ca renew: ${String(states.old)} old, ${String(states.new)} new`,
  );
  assert.ok(states.old > 0 && states.new > 0);
});
