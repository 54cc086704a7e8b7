import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../support/judge.ts';
import { rotationCluster, type RotationCluster } from '../support/rotation/cluster.ts';
import { Conductor } from '../support/rotation/conductor.ts';
import type { ClusterNode } from '../support/rotation/node.ts';
import { opensslWord } from '../support/rotation/openssl-word.ts';
import { stacksOf } from '../support/rotation/stacks.ts';
import { assertComponentsServed, heldOfNext, heldOn, Witnesses } from '../support/rotation/witnesses.ts';
import { temporaryDirectory } from '../support/tree.ts';
import { Followers } from './followers.ts';

const stages = ['trust', 'switch', 'distrust', 'finish'] as const;

/** What no one can measure. */
const accepted: Readonly<Record<(typeof stages)[number], readonly string[]>> = {
  trust: [],
  switch: [],
  distrust: ['--accept', 'issued-clients'],
  // Clients with distrusted certificates go on asking.
  finish: ['--accept', 'unauthorized'],
};

/**
 * All three CAs, stage by stage and node by node, with clients that ask all the time. Those with old certificates are served until
 * `distrust`, and refused from then on; those with new ones are served from the end of `trust` on, and those that trust the new CAs alone
 * from the end of `switch` on; the components always are.
 * @param then what follows on the same cluster
 */
export async function rotatesWhole(
  t: TestContext,
  size: { readonly controlPlanes: number; readonly workers: number },
  then?: (cluster: RotationCluster, conductor: Conductor) => Promise<void>,
): Promise<void> {
  const openssl = judge(t, 'openssl');
  const programs = stacksOf(t);
  const cluster = await rotationCluster(t, size);
  if (openssl === undefined || programs === undefined || cluster === undefined) return;
  const scratch = temporaryDirectory(t);
  const stacks = { programs, scratch };
  const conductor = new Conductor(cluster);
  const followers = new Followers(openssl, cluster, conductor);
  const [first] = cluster.controlPlanes;
  const heldBefore = heldOn(first);
  const old = new Witnesses(cluster, 'old certificates', heldBefore, { stacks });
  let refused: Witnesses | undefined;
  await conductor.prepare();
  await followers.follow('prepare');
  old.assertServed('prepare');
  const next: Witnesses[] = [];
  const nextServed = (when: string): void => {
    for (const witnesses of next) witnesses.assertServed(when);
  };
  let held: ReturnType<typeof heldOfNext> | undefined;
  for (const stage of stages) {
    if (stage === 'finish') await refusalsAreSeen(conductor, first);
    for (const [index, node] of cluster.controlPlanes.entries()) {
      const when = `${stage} on ${node.name}`;
      // While the next node is brought there, two stages are mixed.
      await conductor.stage(stage, node, ...accepted[stage]);
      assertComponentsServed(cluster, when);
      nextServed(when);
      if (stage === 'trust' || stage === 'switch') old.assertServed(when);
      if (stage === 'distrust') {
        const [done, left] = [
          cluster.controlPlanes.slice(0, index + 1),
          cluster.controlPlanes.slice(index + 1),
        ];
        old.assertServed(when, [...left, ...cluster.workers]);
        await old.assertRefused(when, done);
      }
    }
    await followers.follow(stage);
    await pause(1000);
    assertComponentsServed(cluster, stage);
    if (stage === 'trust') {
      held = heldOfNext(openssl, first, scratch);
      next.push(new Witnesses(cluster, 'new certificates', held.both));
    }
    if (stage === 'switch' && held !== undefined)
      next.push(new Witnesses(cluster, 'the new CAs alone', held.alone, { stacks, everyMs: 1000 }));
    if (stage === 'distrust') {
      await old.assertRefused(stage);
      await old.dismiss();
      refused = new Witnesses(cluster, 'distrusted certificates', heldBefore, { everyMs: 1000 });
    }
  }
  nextServed('finish');
  refused?.assertNeverServed('finish');
  for (const witnesses of [...next, ...(refused === undefined ? [] : [refused])]) await witnesses.dismiss();
  await isWell(cluster, conductor, openssl, scratch);
  await then?.(cluster, conductor);
}

/** Clients that are refused keep a rotation from being finished, unless that is accepted. */
async function refusalsAreSeen(conductor: Conductor, node: ClusterNode): Promise<void> {
  const words = ['ca', 'rotate', 'finish', '--dry-run', ...(await conductor.from(node, 'finish'))];
  const { code, stdout } = await conductor.run(node, ...words);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^NOT MET +unauthorized: .*\n +the API server at \S+ has refused \d+ requests within 12 s/m,
  );
}

async function isWell(
  cluster: RotationCluster,
  conductor: Conductor,
  openssl: string,
  scratch: string,
): Promise<void> {
  for (const node of cluster.controlPlanes) {
    conductor.note(
      `${node.name}: what openssl says`,
      ...opensslWord(openssl, node, scratch).map((line) => `  ${line}`),
    );
    await conductor.mustRun(node, 'verify');
    await conductor.mustRun(node, 'verify', '--live');
  }
  await cluster.settled();
  assertComponentsServed(cluster, 'the end');
  conductor.counts();
}
