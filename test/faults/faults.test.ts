/**
 * Faults in the real command: killed, failed and short of space at every system call that changes a file. In `npm test`
 * a sample of the calls; `npm run test:faults` (FAULTS=all) takes every one.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { kubepki } from '../support/kubepki.ts';
import { changes, copyFixture, copyFixtureTo, snapshot, temporaryDirectory } from '../support/tree.ts';
import { requireSound, requireTidy, setState } from './invariants.ts';
import { forEachParallel } from './pool.ts';
import { faultPoints, hit, shift, traced, type FaultPoint, type TracedRun } from './strace.ts';

// ECDSA: the keys are made in no time, and what is tried here is not how they are made.
const role = 'ipv6';
const everyPoint = process.env['FAULTS'] === 'all';
const errors = ['EIO', 'ENOSPC', 'EACCES', 'EROFS'] as const;

const renew = (directory: string): string[] => ['certs', 'renew', 'all', '--rootfs', directory];

async function pointsOf(t: TestContext, strace: string): Promise<FaultPoint[]> {
  const tree = copyFixture(t, role);
  const run = await traced(strace, renew(tree.directory), temporaryDirectory(t));
  assert.equal(run.code, 0, run.stderr);
  const points = faultPoints(run.log, tree.directory);
  assert.ok(points.length > 150, `only ${String(points.length)} calls: the trace is not read right`);
  return points;
}

/** A sample that still has every kind of call. */
function sample(points: readonly FaultPoint[], step: number): FaultPoint[] {
  if (everyPoint) return [...points];
  const firsts = new Set(
    [...new Set(points.map(({ call }) => call))].map((call) =>
      points.findIndex((point) => point.call === call),
    ),
  );
  return points.filter((_, index) => index % step === 0 || firsts.has(index));
}

interface Fault {
  readonly kind: 'killed' | 'failed';
  /** strace's words: `signal=SIGKILL`, `error=EIO`. */
  readonly effect: string;
}

/** Tries again where the counts have shifted and the fault hit a call of node's own. */
async function inject(
  strace: string,
  scratch: string,
  directory: string,
  point: FaultPoint,
  all: readonly FaultPoint[],
  { kind, effect }: Fault,
): Promise<TracedRun> {
  let { when } = point;
  for (let attempt = 0; attempt < 8; attempt += 1) {
    rmSync(directory, { recursive: true, force: true });
    copyFixtureTo(role, directory);
    const run = await traced(strace, renew(directory), scratch, [
      `${point.call}:${effect}:when=${String(when)}`,
    ]);
    if (hit(run.log, directory, kind)) return run;
    when =
      point.when +
      (shift(run.log, point.call, directory, all) || (attempt % 2 === 0 ? 1 : -1) * (1 + (attempt >> 1)));
  }
  throw new Error(`${effect} at ${point.line}: never hit a call on the tree`);
}

describe('faults', { concurrency: false }, () => {
  test('killed at any call: recover leaves the set all old or all new, and nothing else', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const all = await pointsOf(t, strace);
    const points = sample(all, 12);
    const before = snapshot(copyFixture(t, role).directory);
    const states = { old: 0, new: 0 };
    const scratch = temporaryDirectory(t);
    await forEachParallel([...points.entries()], async ([index, point]) => {
      const directory = join(scratch, `kill-${String(index)}`);
      const fault = { kind: 'killed', effect: 'signal=SIGKILL' } as const;
      const run = await inject(strace, scratch, directory, point, all, fault);
      const where = `killed at ${point.line}`;
      assert.equal(run.signal, 'SIGKILL', where);
      const recovered = await kubepki(['certs', 'recover', '--rootfs', directory]);
      assert.equal(recovered.code, 0, `${where}\n${recovered.stderr}`);
      const kubeconfigDir = join(directory, 'etc/kubernetes');
      const tree = { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
      try {
        const state = setState(before, snapshot(directory));
        // "Renewed" is said of what is done, and killed after that it stays done.
        if (/ renewed$/m.test(run.stdout)) assert.equal(state, 'new');
        states[state] += 1;
        requireSound(tree, join(scratch, `sound-${String(index)}`));
        requireTidy(tree);
      } catch (cause) {
        throw new Error(`${where}: ${String(cause)}`, { cause });
      }
      rmSync(directory, { recursive: true });
    });
    t.diagnostic(
      `${String(points.length)} kill points, ${String(states.old + states.new)} survived (${String(states.old)} old, ${String(states.new)} new)`,
    );
    assert.equal(states.old + states.new, points.length);
    assert.ok(states.old > 0 && states.new > 0);
  });

  test('an error at any call: exit 1 and the tree is as before, or the change is complete', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const all = await pointsOf(t, strace);
    const pairs = sample(all, 12).flatMap((point, index) =>
      (everyPoint ? errors : errors.filter((_, number) => number === index % errors.length)).map((error) => ({
        point,
        error,
      })),
    );
    const before = snapshot(copyFixture(t, role).directory);
    const outcomes = new Map<string, number>();
    const scratch = temporaryDirectory(t);
    await forEachParallel([...pairs.entries()], async ([index, { point, error }]) => {
      const directory = join(scratch, `error-${String(index)}`);
      const fault = { kind: 'failed', effect: `error=${error}` } as const;
      const run = await inject(strace, scratch, directory, point, all, fault);
      const where = `${error} at ${point.line}: exit ${String(run.code)}\n${run.stderr}`;
      assert.doesNotMatch(run.stderr, /internal error|\n\s+at /, where);
      const kubeconfigDir = join(directory, 'etc/kubernetes');
      const tree = { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
      if (run.code === 1) {
        assert.deepEqual(changes(before, snapshot(directory)), [], where);
      } else if (run.code === 0) {
        assert.equal(setState(before, snapshot(directory)), 'new', where);
        requireSound(tree, join(scratch, `sound-${String(index)}`));
      } else {
        assert.equal(run.code, 9, where);
        const recovered = await kubepki(['certs', 'recover', '--rootfs', directory]);
        assert.equal(recovered.code, 0, `${where}${recovered.stderr}`);
        setState(before, snapshot(directory));
        requireSound(tree, join(scratch, `sound-${String(index)}`));
        requireTidy(tree);
      }
      outcomes.set(`exit ${String(run.code)}`, (outcomes.get(`exit ${String(run.code)}`) ?? 0) + 1);
      rmSync(directory, { recursive: true });
    });
    t.diagnostic(
      `${String(pairs.length)} errors: ${[...outcomes].map(([code, count]) => `${code} ${String(count)} times`).join(', ')}`,
    );
    assert.ok((outcomes.get('exit 1') ?? 0) > 0);
  });
});
