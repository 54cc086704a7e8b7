/**
 * A rotation that goes back from `switch` to before `prepare`; with KILLS=all on three control planes, with two stages mixed over them on
 * the way.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../../support/judge.ts';
import { rotationCluster } from '../../support/rotation/cluster.ts';
import { Conductor, quick } from '../../support/rotation/conductor.ts';
import type { ClusterNode } from '../../support/rotation/node.ts';
import { assertComponentsServed, heldOfNext, heldOn, Witnesses } from '../../support/rotation/witnesses.ts';
import { temporaryDirectory } from '../../support/tree.ts';
import { everyKill } from '../sample.ts';

const mixedMs = 1500;

/** With every 100 ms it is tried in the whole rotation. */
const everyMs = 1000;

/** Every file of /etc/kubernetes, but for what kubepki keeps for itself. */
function filesOf(node: ClusterNode): ReadonlyMap<string, string> {
  const top = node.path('');
  const entries = readdirSync(top, { recursive: true, withFileTypes: true });
  return new Map(
    entries
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('.kubepki'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path): [string, string] => [path.slice(top.length), readFileSync(path, 'latin1')])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

test('a rotation goes back from switch, node by node, and clients see nothing of it', async (t) => {
  const openssl = judge(t, 'openssl');
  const cluster = await rotationCluster(t, { controlPlanes: everyKill ? 3 : 1, workers: 0 });
  if (openssl === undefined || cluster === undefined) return;
  const conductor = new Conductor(cluster);
  const { controlPlanes } = cluster;
  const [first, second] = controlPlanes;
  const before = controlPlanes.map(filesOf);
  const old = new Witnesses(cluster, 'old certificates', heldOn(first), { everyMs });
  const well = (when: string): void => {
    assertComponentsServed(cluster, when);
    old.assertServed(when);
  };
  await conductor.prepare();
  for (const node of controlPlanes) await conductor.stage('trust', node);
  well('trust');
  const { both } = heldOfNext(openssl, first, temporaryDirectory(t));
  const next = new Witnesses(cluster, 'new certificates', both, { everyMs });
  await conductor.stage('switch', first);
  await pause(mixedMs);
  well('one at switch, the others at trust');
  next.assertServed('one at switch, the others at trust');

  if (second !== undefined) {
    const from = await conductor.from(second, 'switch');
    const refused = await conductor.run(second, 'ca', 'rollback', '--restart', ...from);
    assert.equal(refused.code, 1, refused.stdout);
    assert.match(refused.stderr, /cp-1 is at switch/);
    const unknown = await conductor.run(second, 'ca', 'rollback', '--restart');
    assert.equal(unknown.code, 1, unknown.stdout);
    assert.match(unknown.stderr, /nothing is known of cp-1/);
  }

  for (const node of controlPlanes.slice(1)) await conductor.stage('switch', node);
  well('switch');
  next.assertServed('switch');
  const backwards = [...controlPlanes].reverse();
  for (const stage of ['switch', 'trust', 'prepare']) {
    // Every server trusts the new CA until the first has gone back from trust.
    if (stage === 'trust') await next.dismiss();
    for (const node of backwards) {
      const when = `${stage} taken back on ${node.name}`;
      // A node that has gone back from prepare is in no rotation any more, and has nothing to say of it.
      const from = stage === 'prepare' ? [] : await conductor.from(node, `back from ${stage}`);
      const words = ['--restart', ...quick, ...from];
      await conductor.mustRun(node, 'ca', 'rollback', ...words);
      await conductor.after(node);
      if (node === backwards[0]) await pause(mixedMs);
      well(when);
      if (stage === 'switch') next.assertServed(when);
    }
    await cluster.settled();
  }
  for (const [index, node] of controlPlanes.entries()) {
    assert.deepEqual(filesOf(node), before[index], node.name);
    const { stdout } = await conductor.mustRun(node, 'ca', 'status');
    assert.match(stdout, /no rotation is prepared here/);
    await conductor.mustRun(node, 'verify', '--live');
  }
  well('the end');
});
