import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../support/judge.ts';
import { rotationCluster, type RotationCluster } from '../support/rotation/cluster.ts';
import { Conductor } from '../support/rotation/conductor.ts';
import { opensslWord } from '../support/rotation/openssl-word.ts';
import { assertComponentsServed, heldOfNext, heldOn, Witnesses } from '../support/rotation/witnesses.ts';
import { temporaryDirectory } from '../support/tree.ts';

const stages = ['trust', 'switch', 'distrust', 'finish'] as const;

/** What no one can measure. */
const accepted: Readonly<Record<(typeof stages)[number], readonly string[]>> = {
  trust: [],
  switch: [],
  distrust: ['--accept', 'issued-clients'],
  finish: [],
};

/**
 * All three CAs, stage by stage and node by node, with clients that ask all the time. Those with old certificates are served until
 * `distrust`, and refused from then on; those with new ones are served from the end of `trust` on; the components always are.
 */
export async function rotatesWhole(
  t: TestContext,
  size: { readonly controlPlanes: number; readonly workers: number },
): Promise<void> {
  const openssl = judge(t, 'openssl');
  const cluster = await rotationCluster(t, size);
  if (openssl === undefined || cluster === undefined) return;
  const scratch = temporaryDirectory(t);
  const conductor = new Conductor(cluster);
  const [first] = cluster.controlPlanes;
  const old = new Witnesses(cluster, 'old certificates', heldOn(first));
  await conductor.prepare();
  old.assertServed('prepare');
  let next: Witnesses | undefined;
  for (const stage of stages) {
    for (const [index, node] of cluster.controlPlanes.entries()) {
      const when = `${stage} on ${node.name}`;
      await conductor.stage(stage, node, ...accepted[stage]);
      // Two stages are mixed for a while where there are more nodes.
      await pause(1000);
      assertComponentsServed(cluster, when);
      next?.assertServed(when);
      if (stage === 'trust' || stage === 'switch') old.assertServed(when);
      if (stage === 'distrust') {
        const [done, left] = [
          cluster.controlPlanes.slice(0, index + 1),
          cluster.controlPlanes.slice(index + 1),
        ];
        old.assertServed(when, left);
        await old.assertRefused(when, done);
      }
    }
    if (stage === 'trust')
      next = new Witnesses(cluster, 'new certificates', heldOfNext(openssl, first, scratch));
    if (stage === 'distrust') await old.assertRefused('distrust');
  }
  await old.assertRefused('finish');
  next?.assertServed('finish');
  await isWell(cluster, conductor, openssl, scratch);
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
