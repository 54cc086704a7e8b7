/** A static pod's manifest is never lost: `kubepki restart` killed, failed, interrupted and cut from power at every call. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../support/judge.ts';
import { kubepki } from '../support/kubepki.ts';
import { done, quickTree } from '../support/node.ts';
import { fileChanges, snapshot, temporaryDirectory, type Snapshot } from '../support/tree.ts';
import { writeImage } from './disk-image.ts';
import { requireTidy } from './invariants.ts';
import { powerCuts } from './power-cuts.ts';
import { booted, operationsOf, requireFaithful } from './running-system.ts';
import { everyPoint, sample } from './sample.ts';
import { inject, pointsOf, renewal, treeAt, type Scenario } from './scenario.ts';
import { manifestPath, staticPod, type StaticPod } from './static-pod.ts';
import type { FaultPoint, TracedRun } from './strace.ts';

const times = ['--settle', '0s', '--stop-timeout', '100s', '--start-timeout', '100s'];

/** Where hard links do not work: another file system, as far as the program can see. */
const noLinks = ['link:error=EXDEV'];

function restart(pod: StaticPod, more: Partial<Scenario> = {}): Scenario {
  return {
    name: 'restart',
    group: [],
    command: ['restart', 'kube-scheduler', ...times],
    lay: (directory) => {
      renewal.lay(directory);
      pod.lay(directory);
      pod.follow(directory);
    },
    ...more,
  };
}

interface Bed {
  readonly strace: string;
  readonly scenario: Scenario;
  readonly points: readonly FaultPoint[];
  readonly before: Snapshot;
}

async function bed(t: TestContext, more?: Partial<Scenario>): Promise<Bed | undefined> {
  const strace = judge(t, 'strace');
  if (strace === undefined) return undefined;
  const scenario = restart(await staticPod(t), more);
  const all = await pointsOf(t, strace, scenario);
  // What always fails cannot be made to fail otherwise.
  const points = all.filter(({ call, line }) => call !== 'link' || !line.includes('EXDEV'));
  const laid = join(temporaryDirectory(t), 'laid');
  scenario.lay(laid);
  return { strace, scenario, points, before: snapshot(laid) };
}

/** One after the other: all of them share the pod. */
async function atEach(
  t: TestContext,
  { strace, scenario, points }: Bed,
  chosen: readonly FaultPoint[],
  fault: (index: number) => Parameters<typeof inject>[6],
  judgeRun: (run: TracedRun, directory: string, where: string) => Promise<void>,
): Promise<void> {
  const scratch = temporaryDirectory(t);
  for (const [index, point] of chosen.entries()) {
    const directory = join(scratch, `fault-${String(index)}`);
    const given = fault(index);
    const run = await inject(strace, scratch, directory, scenario, point, points, given);
    const where = `${scenario.name}: ${given.effect} at ${point.line}: exit ${String(run.code)}\n${run.stderr}`;
    try {
      await judgeRun(run, directory, where);
    } catch (cause) {
      throw new Error(`${where}\n${String(cause)}`, { cause });
    }
    rmSync(directory, { recursive: true });
  }
  t.diagnostic(`${String(chosen.length)} of ${String(points.length)} points`);
}

/** Bit for bit, mode and owner, and nothing else is left. */
function requireAsBefore(before: Snapshot, directory: string): void {
  assert.deepEqual(fileChanges(before, snapshot(directory)), []);
  requireTidy(treeAt(directory));
  assert.deepEqual(
    [...snapshot(directory).keys()].filter((path) => path.includes('kubepki')),
    [],
  );
}

describe('restart', () => {
  for (const [what, more] of [
    ['', {}],
    ['to another file system and back, ', { injections: noLinks }],
  ] as const) {
    test(`${what}killed at any call: recover puts the manifest back`, async (t) => {
      const laid = await bed(t, more);
      if (laid === undefined) return;
      assert.ok(laid.points.length > 25, `only ${String(laid.points.length)} calls`);
      await atEach(
        t,
        laid,
        sample(laid.points, 6),
        () => ({ kind: 'killed', effect: 'signal=SIGKILL' }),
        async (run, directory) => {
          assert.equal(run.signal, 'SIGKILL');
          await done(treeAt(directory), 'recover');
          requireAsBefore(laid.before, directory);
          const again = await done(treeAt(directory), 'recover');
          assert.equal(again.stdout, 'nothing to recover\n');
        },
      );
    });

    test(`${what}any call fails, once: the manifest is in its place, or recover puts it there`, async (t) => {
      const laid = await bed(t, more);
      if (laid === undefined) return;
      await atEach(
        t,
        laid,
        sample(laid.points, 6),
        (index) => ({ kind: 'failed', effect: `error=${index % 2 === 0 ? 'EIO' : 'ENOSPC'}` }),
        async (run, directory, where) => {
          assert.doesNotMatch(run.stderr, /internal error|\n\s+at /, where);
          assert.ok([0, 1, 8, 9].includes(run.code ?? -1), where);
          // Whatever happened, the component is running or will be.
          if (run.code !== 9) assert.ok(snapshot(directory).has(manifestPath), where);
          await done(treeAt(directory), 'recover');
          requireAsBefore(laid.before, directory);
        },
      );
    });
  }

  test('any call fails from then on: it waits complete, and recover puts it back', async (t) => {
    const laid = await bed(t);
    if (laid === undefined) return;
    await atEach(
      t,
      laid,
      sample(laid.points, 6),
      (index) => ({ kind: 'failed', effect: `error=${index % 2 === 0 ? 'EIO' : 'EROFS'}`, lasting: true }),
      async (run, directory, where) => {
        assert.doesNotMatch(run.stderr, /internal error|\n\s+at /, where);
        assert.ok([0, 1, 8, 9].includes(run.code ?? -1), where);
        await done(treeAt(directory), 'recover');
        requireAsBefore(laid.before, directory);
      },
    );
  });

  test('interrupted at any call: the manifest is in its place at once', async (t) => {
    const laid = await bed(t);
    if (laid === undefined) return;
    await atEach(
      t,
      laid,
      sample(laid.points, 6),
      () => ({ kind: 'signalled', effect: 'signal=SIGTERM' }),
      (run, directory) => {
        assert.equal(run.code, 143);
        assert.match(run.stderr, /^interrupted: nothing was changed/m);
        requireAsBefore(laid.before, directory);
        return Promise.resolve();
      },
    );
  });

  test('a power cut at any moment: it is complete at one of its places, and recover puts it back', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const pod = await staticPod(t);
    const tree = quickTree(t);
    pod.lay(tree.directory);
    pod.follow(tree.directory);
    const before = snapshot(tree.directory);
    const manifest = readFileSync(join(tree.directory, manifestPath));
    const system = booted(tree);
    const args = ['restart', 'kube-scheduler', ...times];
    const operations = await operationsOf(t, strace, tree, args, { group: [] });
    const cuts = powerCuts(system.disk, operations, Infinity);
    requireFaithful(system);
    assert.ok(cuts.length > 10, `only ${String(cuts.length)} disks: the trace is not read right`);
    const step = everyPoint ? 1 : Math.ceil(cuts.length / 24);
    const scratch = temporaryDirectory(t);
    for (const [index, { image, where }] of cuts.filter((_, number) => number % step === 0).entries()) {
      const places = [manifestPath, 'etc/kubernetes/kubepki/manifests/kube-scheduler.yaml'];
      const complete = places.filter((place) => {
        const entry = image.get(place);
        return entry?.type === 'file' && entry.data.equals(manifest);
      });
      assert.notEqual(complete.length, 0, where);
      const directory = join(scratch, `cut-${String(index)}`);
      writeImage(image, directory);
      await done(treeAt(directory), 'recover');
      try {
        requireAsBefore(before, directory);
      } catch (cause) {
        throw new Error(`${where}: ${String(cause)}`, { cause });
      }
      rmSync(directory, { recursive: true });
    }
    t.diagnostic(`${String(cuts.length)} power cuts`);
  });
});

describe('renew --restart', () => {
  test('killed at any call: the certificate is old, or the restart is not forgotten', async (t) => {
    const laid = await bed(t, {
      name: 'renew --restart',
      group: ['certs'],
      command: ['renew', 'scheduler.conf', '--restart', ...times],
    });
    if (laid === undefined) return;
    const states = { old: 0, restartedByNext: 0, restartedAlready: 0 };
    const kubeconfig = 'etc/kubernetes/scheduler.conf';
    await atEach(
      t,
      laid,
      sample(laid.points, 8),
      () => ({ kind: 'killed', effect: 'signal=SIGKILL' }),
      async (run, directory) => {
        const next = await kubepki([
          'certs',
          'renew',
          'all',
          '--within',
          '1h',
          '--restart',
          ...times,
          '--rootfs',
          directory,
        ]);
        assert.equal(next.code, 0, next.stderr);
        const restarted = /^kube-scheduler restarted$/m;
        const renewed = laid.before.get(kubeconfig)?.sha256 !== snapshot(directory).get(kubeconfig)?.sha256;
        if (!renewed) {
          states.old += 1;
          assert.doesNotMatch(next.stdout, restarted);
        } else if (restarted.test(next.stdout)) states.restartedByNext += 1;
        else {
          states.restartedAlready += 1;
          assert.match(run.stdout, restarted, 'renewed, and never restarted');
        }
        const paths = [...snapshot(directory).keys()];
        assert.ok(paths.includes(manifestPath));
        requireTidy(treeAt(directory));
        assert.deepEqual(
          paths.filter((path) => /pending-restarts|kubepki\/manifests/.test(path)),
          [],
        );
      },
    );
    t.diagnostic(JSON.stringify(states));
    assert.ok(states.old > 0 && states.restartedByNext > 0);
  });
});
