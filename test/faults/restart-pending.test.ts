/** `renew --restart` killed at every call: the certificate is the old one, or its restart is not forgotten. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { snapshot, temporaryDirectory, type Snapshot } from '../support/tree.ts';
import { atEach, requireManifest, restartBed, times, type Bed } from './restart-bed.ts';
import { spread } from './sample.ts';
import { inject, treeAt } from './scenario.ts';
import type { FaultPoint } from './strace.ts';
import { doneInProcess as done } from '../support/in-process.ts';

const kubeconfig = 'etc/kubernetes/scheduler.conf';
const command = ['renew', 'scheduler.conf', '--restart', ...times];
const renewing = { name: 'renew --restart', group: ['certs'], command };
/** Nothing is due. */
const next = ['renew', 'all', '--within', '1h', '--restart', ...times];
const restarted = /^kube-scheduler restarted$/m;
const killed = { kind: 'killed', effect: 'signal=SIGKILL' } as const;

function isRenewed(before: Snapshot, directory: string): boolean {
  return before.get(kubeconfig)?.sha256 !== snapshot(directory).get(kubeconfig)?.sha256;
}

/** The call that takes the manifest away: the next one finds it gone. */
function manifestLeaves(points: readonly FaultPoint[]): FaultPoint {
  const leaves = points.findIndex(
    ({ call, line }) => call === 'unlink' && line.includes('/manifests/kube-scheduler.yaml'),
  );
  return points[leaves + 1] ?? assert.fail('it never leaves');
}

describe('renew --restart', () => {
  test('killed at any call: the certificate is old, or the next run restarts', async (t) => {
    const bed = await restartBed(t, renewing);
    if (bed === undefined) return;
    const states = { old: 0, restartedByNext: 0, restartedAlready: 0 };
    const decided = bed.points.findIndex(
      ({ call, line }) => call === 'rename' && line.includes('.scheduler.conf.'),
    );
    // Both sides of the change, and closer where the change is made and the restart not yet.
    const [before, after] = [bed.points.slice(0, decided - 12), bed.points.slice(decided - 12)];
    await atEach(
      t,
      bed,
      [...spread(before, 3), ...spread(after, 9)],
      () => killed,
      async ({ run, directory, before: laid }) => {
        const { stdout } = await done(treeAt(directory), ...next);
        if (!isRenewed(laid, directory)) {
          states.old += 1;
          assert.doesNotMatch(stdout, restarted);
        } else if (restarted.test(stdout)) {
          states.restartedByNext += 1;
        } else {
          states.restartedAlready += 1;
          assert.match(run.stdout, restarted, 'renewed, and never restarted');
        }
        requireManifest(laid, directory, /^~ etc\/kubernetes\/scheduler\.conf content$/);
      },
    );
    t.diagnostic(JSON.stringify(states));
    assert.ok(states.old > 0 && states.restartedByNext > 0);
  });

  test('a restart that an earlier run has left is not forgotten, whatever becomes of the next renewal', async (t) => {
    const first = await restartBed(t, renewing);
    if (first === undefined) return;
    const from = await leftToRestart(t, first);
    const bed = await restartBed(t, { ...renewing, from });
    assert.ok(bed);
    const signalled = { kind: 'signalled', effect: 'signal=SIGTERM' } as const;
    const states = { restartedByNext: 0, restartedAlready: 0 };
    await atEach(
      t,
      bed,
      spread(bed.points, 8),
      (index) => (index % 3 === 2 ? signalled : killed),
      async ({ run, directory }) => {
        const { stdout } = await done(treeAt(directory), ...next);
        if (restarted.test(stdout)) {
          states.restartedByNext += 1;
        } else {
          states.restartedAlready += 1;
          assert.match(run.stdout, restarted, 'never restarted');
        }
      },
    );
    t.diagnostic(JSON.stringify(states));
  });

  test('nor when the next renewal is to restart nothing', async (t) => {
    const bed = await restartBed(t, renewing);
    if (bed === undefined) return;
    const tree = treeAt(await leftToRestart(t, bed));
    const renewed = await done(tree, 'renew', 'scheduler.conf');
    assert.doesNotMatch(renewed.stdout, restarted);
    const again = snapshot(tree.directory);
    assert.match((await done(tree, ...next)).stdout, restarted);
    assert.equal(isRenewed(again, tree.directory), false, 'nothing was due');
  });

  test('nor when the next renewal is taken back', async (t) => {
    const bed = await restartBed(t, renewing);
    if (bed === undefined) return;
    const tree = treeAt(await leftToRestart(t, bed));
    const left = snapshot(tree.directory);
    await done(tree, 'renew', 'scheduler.conf');
    assert.ok(isRenewed(left, tree.directory));
    await done(tree, 'rollback', '--force');
    assert.equal(isRenewed(left, tree.directory), false);
    assert.match((await done(tree, ...next)).stdout, restarted);
  });
});

/** A tree with a new certificate whose user has not been restarted, all in its place. */
async function leftToRestart(t: TestContext, { strace, lanes: [lane], points }: Bed): Promise<string> {
  assert.ok(lane);
  const scratch = temporaryDirectory(t);
  const directory = join(scratch, 'left');
  await inject(strace, scratch, directory, lane.scenario, manifestLeaves(points), points, killed);
  assert.ok(isRenewed(lane.before(), directory));
  const { stderr } = await done(treeAt(directory), 'recover');
  assert.match(stderr, /^note: not restarted yet since their certificates changed: kube-scheduler$/m);
  return directory;
}
