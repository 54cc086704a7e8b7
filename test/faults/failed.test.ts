/** Proof 2: every system call that changes a file fails, for once and for good. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { judge } from '../support/judge.ts';
import { changes, copyFixture, snapshot, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy, setState } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { byKind, everyKill, everyPoint, sampleKinds } from './sample.ts';
import { inject, pointsOf, renewal, treeAt } from './scenario.ts';
import { kubepkiInProcess as kubepki } from '../support/in-process.ts';

const errors = ['EIO', 'ENOSPC', 'EACCES', 'EROFS'] as const;

describe('an error at any call', () => {
  test('once: exit 1 and the tree is as before, or the change is complete, or exit 9 and recover completes it', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const points = await pointsOf(t, strace, renewal);
    // Each error at the first call of a kind, and with KILLS=all at each of what is done a few times, as the journal is written; at
    // all the others one, each in its turn.
    const fewTimes = everyKill ? 4 : 1;
    const firsts = new Set(
      everyPoint ? byKind(points).flatMap((kind) => (kind.length <= fewTimes ? kind : kind.slice(0, 1))) : [],
    );
    const pairs = sampleKinds(points, 48).flatMap((point, index) =>
      errors
        .filter((_, number) => firsts.has(point) || number === index % errors.length)
        .map((error) => ({ point, error })),
    );
    const before = snapshot(copyFixture(t, 'ipv6').directory);
    const outcomes = new Map<string, number>();
    const scratch = temporaryDirectory(t);
    await forEachParallel([...pairs.entries()], async ([index, { point, error }]) => {
      const directory = join(scratch, `error-${String(index)}`);
      const run = await inject(strace, scratch, directory, renewal, point, points, {
        kind: 'failed',
        effect: `error=${error}`,
      });
      const where = `${error} at ${point.line}: exit ${String(run.code)}\n${run.stderr}`;
      assert.doesNotMatch(run.stderr, /internal error|\n\s+at /, where);
      if (run.code === 1) {
        assert.deepEqual(changes(before, snapshot(directory)), [], where);
        assert.match(run.stderr, /^error: /m, where);
      } else {
        assert.ok(run.code === 0 || run.code === 9, where);
        if (run.code === 0) assert.equal(setState(before, snapshot(directory)), 'new', where);
        // "Renewed" is not said of what is not certain yet.
        else assert.equal(run.stdout, '', where);
        const recovered = await kubepki(['certs', 'recover', '--rootfs', directory]);
        assert.equal(recovered.code, 0, `${where}${recovered.stderr}`);
        assert.equal(setState(before, snapshot(directory)), 'new', where);
        requireSound(treeAt(directory), join(scratch, `sound-${String(index)}`));
        requireTidy(treeAt(directory));
      }
      count(outcomes, run.code);
      rmSync(directory, { recursive: true });
    });
    t.diagnostic(`${String(pairs.length)} errors: ${said(outcomes)}`);
    assert.ok((outcomes.get('exit 1') ?? 0) > 0 && (outcomes.get('exit 0') ?? 0) > 0);
  });

  test('for good: exit 1 means that nothing was changed, and recover leaves it all old or all new', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const points = await pointsOf(t, strace, renewal);
    const chosen = sampleKinds(points, 64);
    const before = snapshot(copyFixture(t, 'ipv6').directory);
    const outcomes = new Map<string, number>();
    const scratch = temporaryDirectory(t);
    await forEachParallel([...chosen.entries()], async ([index, point]) => {
      const directory = join(scratch, `lasting-${String(index)}`);
      const error = errors[index % errors.length] ?? 'EIO';
      const run = await inject(strace, scratch, directory, renewal, point, points, {
        kind: 'failed',
        effect: `error=${error}`,
        lasting: true,
      });
      const where = `${error} from ${point.line} on: exit ${String(run.code)}\n${run.stderr}`;
      assert.doesNotMatch(run.stderr, /internal error|\n\s+at /, where);
      assert.ok(run.code === 0 || run.code === 1 || run.code === 9, where);
      const recovered = await kubepki(['certs', 'recover', '--rootfs', directory]);
      assert.equal(recovered.code, 0, `${where}${recovered.stderr}`);
      const state = setState(before, snapshot(directory));
      if (run.code === 0) assert.equal(state, 'new', where);
      if (run.code === 1) assert.equal(state, 'old', where);
      requireSound(treeAt(directory), join(scratch, `sound-${String(index)}`));
      requireTidy(treeAt(directory));
      count(outcomes, run.code);
      rmSync(directory, { recursive: true });
    });
    t.diagnostic(`${String(chosen.length)} lasting errors: ${said(outcomes)}`);
  });
});

function count(outcomes: Map<string, number>, code: number | null): void {
  const key = `exit ${String(code)}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
}

function said(outcomes: ReadonlyMap<string, number>): string {
  return [...outcomes].map(([code, times]) => `${code} ${String(times)} times`).join(', ');
}
