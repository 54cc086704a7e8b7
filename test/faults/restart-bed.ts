import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import type { Mounts } from '../support/machine/mounts.ts';
import { changes, fileChanges, snapshot, temporaryDirectory, type Snapshot } from '../support/tree.ts';
import { requireTidy } from './invariants.ts';
import { forEachOn } from './pool.ts';
import { clear, copyOf, inject, pointsOf, renewal, treeAt, type Fault, type Scenario } from './scenario.ts';
import { manifestPath, staticPod } from './static-pod.ts';
import type { FaultPoint, TracedRun } from './strace.ts';

export const times = ['--settle', '0s', '--stop-timeout', '100s', '--start-timeout', '100s'];

/** Where the manifest waits. */
export const waitingPath = 'etc/kubernetes/pki/.kubepki/manifests/kube-scheduler.yaml';

/** What is special about a restart; by default it is `kubepki restart kube-scheduler`. */
export interface Special extends Partial<Pick<Scenario, 'name' | 'group' | 'command' | 'injections'>> {
  /** The manifest is a symlink. */
  readonly linked?: boolean;
  /** The manifests are on a file system of their own. */
  readonly elsewhere?: Mounts;
  /** The tree to begin with. */
  readonly from?: string;
}

/** What needs a pod to itself: two restarts of one pod disturb each other. */
interface Lane {
  readonly scenario: Scenario;
  /** The tree as it was last laid. */
  readonly before: () => Snapshot;
}

export interface Bed {
  readonly strace: string;
  readonly lanes: readonly Lane[];
  /** Every call of an undisturbed run that changes something. */
  readonly points: readonly FaultPoint[];
}

export interface Hit {
  readonly run: TracedRun;
  readonly directory: string;
  readonly before: Snapshot;
  readonly point: FaultPoint;
}

/** Most of a restart is waiting. */
const laneCount = 4;

/** @returns undefined where there is no strace */
export async function restartBed(t: TestContext, special: Special = {}): Promise<Bed | undefined> {
  const strace = judge(t, 'strace');
  if (strace === undefined) return undefined;
  const lanes = await Promise.all(Array.from({ length: laneCount }, () => lane(t, special)));
  const [first] = lanes;
  assert.ok(first);
  return { strace, lanes, points: await pointsOf(t, strace, first.scenario) };
}

async function lane(t: TestContext, { linked = false, elsewhere, from, ...special }: Special): Promise<Lane> {
  const pod = await staticPod(t);
  let before: Snapshot | undefined;
  const scenario: Scenario = {
    name: 'restart',
    group: [],
    command: ['restart', 'kube-scheduler', ...times],
    ...special,
    lay: (directory) => {
      (from === undefined ? renewal.lay : copyOf(from))(directory);
      const place = join(directory, dirname(manifestPath));
      mkdirSync(place, { recursive: true });
      elsewhere?.tmpfs(place);
      pod.lay(directory);
      if (linked) {
        renameSync(join(directory, manifestPath), join(directory, 'etc/kubernetes/scheduler-manifest.yaml'));
        symlinkSync('../scheduler-manifest.yaml', join(directory, manifestPath));
      }
      before = snapshot(directory);
      pod.follow(directory);
    },
    clear: (directory) => {
      elsewhere?.unmount(join(directory, dirname(manifestPath)));
    },
  };
  return {
    scenario,
    before: () => {
      assert.ok(before, 'no tree was laid');
      return before;
    },
  };
}

/** A fault at each of the points, each on a tree of its own. */
export async function atEach(
  t: TestContext,
  { strace, lanes, points }: Bed,
  chosen: readonly FaultPoint[],
  fault: (index: number) => Fault,
  judgeRun: (hit: Hit) => Promise<void>,
): Promise<void> {
  assert.notEqual(chosen.length, 0);
  const scratch = temporaryDirectory(t);
  await forEachOn(lanes, [...chosen.entries()], async ({ scenario, before }, [index, point]) => {
    const directory = join(scratch, `fault-${String(index)}`);
    const given = fault(index);
    const run = await inject(strace, scratch, directory, scenario, point, points, given);
    try {
      await judgeRun({ run, directory, before: before(), point });
    } catch (cause) {
      const where = `${scenario.name}: ${given.effect} at ${point.line}: exit ${String(run.code)}\n${run.stderr}`;
      throw new Error(`${where}\n${String(cause)}`, { cause });
    }
    clear(scenario, directory);
  });
  t.diagnostic(`${String(chosen.length)} of ${String(points.length)} points`);
}

/** Bit for bit, mode and owner, and nothing is left of the restart. */
export function requireAsBefore(before: Snapshot, directory: string): void {
  assert.deepEqual(changes(before, snapshot(directory)), []);
}

/** The same after a change: what it leaves, and nothing of the restart. */
export function requireManifest(before: Snapshot, directory: string, changed: RegExp): void {
  const after = snapshot(directory);
  assert.deepEqual(
    fileChanges(before, after).filter((line) => !changed.test(line)),
    [],
  );
  requireTidy(treeAt(directory));
  assert.deepEqual(
    [...after.keys()].filter((path) => /pending-restarts|restart\.json|kubepki\/manifests/.test(path)),
    [],
  );
}
