/** What puts a manifest back is killed at every call itself, and finds what others have done meanwhile. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { changes, snapshot, temporaryDirectory, type Snapshot } from '../support/tree.ts';
import { forEachParallel } from './pool.ts';
import { requireAsBefore, restartBed, waitingPath } from './restart-bed.ts';
import { spread } from './sample.ts';
import { clear, copyOf, inject, pointsOf, treeAt, type Scenario } from './scenario.ts';
import { manifestPath } from './static-pod.ts';
import { doneInProcess as done } from '../support/in-process.ts';

const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;

interface Away {
  readonly strace: string;
  /** `recover` of a restart that was killed with the manifest away. */
  readonly scenario: Scenario;
  /** The tree before that restart. */
  readonly before: Snapshot;
}

async function manifestAway(
  t: TestContext,
  { injections, meanwhile }: { injections?: readonly string[]; meanwhile?: (directory: string) => void },
): Promise<Away | undefined> {
  const special = injections === undefined ? {} : { injections };
  const bed = await restartBed(t, special);
  if (bed === undefined) return undefined;
  const { strace, lanes, points } = bed;
  const [lane] = lanes;
  const leaves = points.findIndex(
    ({ call, line }) => call === 'unlink' && line.includes(`/${manifestPath}"`),
  );
  const point = points[leaves + 1];
  assert.ok(lane && point);
  const directory = join(temporaryDirectory(t), 'away');
  await inject(strace, temporaryDirectory(t), directory, lane.scenario, point, points, killed);
  assert.equal(snapshot(directory).has(manifestPath), false, 'it is away');
  meanwhile?.(directory);
  const scenario = { name: 'recover', lay: copyOf(directory), command: ['recover'], ...special };
  return { strace, scenario, before: lane.before() };
}

/** Kills it at each point; then it is called once more. */
async function killEverywhere(
  t: TestContext,
  { strace, scenario }: Away,
  count: number,
  judgeTree: (directory: string) => void,
): Promise<void> {
  const points = await pointsOf(t, strace, scenario);
  assert.ok(points.length > 10, `only ${String(points.length)} calls`);
  const scratch = temporaryDirectory(t);
  const chosen = spread(points, count);
  await forEachParallel([...chosen.entries()], async ([index, point]) => {
    const directory = join(scratch, `kill-${String(index)}`);
    const run = await inject(strace, scratch, directory, scenario, point, points, killed);
    assert.equal(run.signal, 'SIGKILL');
    await done(treeAt(directory), 'recover');
    try {
      judgeTree(directory);
    } catch (cause) {
      throw new Error(`recover killed at ${point.line}: ${String(cause)}`, { cause });
    }
    clear(scenario, directory);
  });
  t.diagnostic(`${String(chosen.length)} of ${String(points.length)} points`);
}

const theirs = 'spec: {containers: []}\n';

describe('recover of a restart, killed at any call', () => {
  for (const [what, noLinks] of [
    ['the manifest is back', {}],
    ['the manifest is back, without hard links', { injections: ['link:error=EPERM'] }],
  ] as const) {
    test(what, async (t) => {
      const away = await manifestAway(t, noLinks);
      if (away === undefined) return;
      await killEverywhere(t, away, 5, (directory) => {
        requireAsBefore(away.before, directory);
      });
    });

    test(`${what}; somebody has put another one there: theirs stays, ours is kept`, async (t) => {
      const away = await manifestAway(t, {
        ...noLinks,
        meanwhile: (directory) => {
          writeFileSync(join(directory, manifestPath), theirs, { mode: 0o600 });
        },
      });
      if (away === undefined) return;
      const ours = away.before.get(manifestPath);
      await killEverywhere(t, away, 5, (directory) => {
        assert.equal(readFileSync(join(directory, manifestPath), 'utf8'), theirs);
        const keptAs = `${waitingPath}.replaced-1`;
        assert.equal(snapshot(directory).get(keptAs)?.sha256, ours?.sha256);
        assert.deepEqual(changes(away.before, snapshot(directory)), [
          `~ ${manifestPath} content mode 0640 -> 0600`,
          '+ etc/kubernetes/pki/.kubepki 0700',
          '+ etc/kubernetes/pki/.kubepki/manifests 0700',
          `+ ${keptAs} 0640`,
        ]);
      });
    });
  }
});
