/** A rotation that is killed in each of its stages, more than once, and finished by the same command again. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { judge } from '../../support/judge.ts';
import fc from '../../support/properties.ts';
import { rotationCluster } from '../../support/rotation/cluster.ts';
import { Conductor, quick } from '../../support/rotation/conductor.ts';
import type { ClusterNode } from '../../support/rotation/node.ts';
import { opensslWord } from '../../support/rotation/openssl-word.ts';
import { assertComponentsServed, heldOfNext, heldOn, Witnesses } from '../../support/rotation/witnesses.ts';
import { temporaryDirectory } from '../../support/tree.ts';

const stages = ['prepare', 'trust', 'switch', 'distrust', 'finish'] as const;

/** When a run is killed: as it makes the nth call of a name, or after so long, which is while it restarts what uses the files. */
type Moment = { readonly call: 'rename' | 'fsync'; readonly when: number } | { readonly afterMs: number };

/** For each stage: in the middle of its files, and in its restarts. Every call is tried where nothing runs, in stages.test.ts. */
const moments = fc.tuple(
  // Each stage makes more calls than these.
  fc.oneof(
    fc.record({ call: fc.constant('rename' as const), when: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ call: fc.constant('fsync' as const), when: fc.integer({ min: 1, max: 24 }) }),
  ),
  fc.record({ afterMs: fc.integer({ min: 800, max: 6000 }) }),
);

async function killedAt(node: ClusterNode, args: readonly string[], moment: Moment): Promise<boolean> {
  const through =
    'call' in moment
      ? [
          ...['strace', '-qq', '-o', '/dev/null', '-e', `trace=${moment.call}`],
          ...['-e', `inject=${moment.call}:signal=SIGKILL:when=${String(moment.when)}`],
        ]
      : [];
  const run = node.begin(args, { through });
  const limit =
    'afterMs' in moment
      ? setTimeout(() => {
          run.kill('SIGKILL');
        }, moment.afterMs)
      : undefined;
  const { code, signal, stdout, stderr } = await run.ended;
  clearTimeout(limit);
  if (signal === 'SIGKILL') return true;
  assert.equal(code, 0, `${args.join(' ')}, ${JSON.stringify(moment)}: ${stdout}${stderr}`);
  return false;
}

test('a rotation that is killed in each stage is finished by the same commands', async (t) => {
  const openssl = judge(t, 'openssl');
  if (judge(t, 'strace') === undefined || openssl === undefined) return;
  const cluster = await rotationCluster(t, { controlPlanes: 1, workers: 0 });
  if (cluster === undefined) return;
  const scratch = temporaryDirectory(t);
  const conductor = new Conductor(cluster);
  const [node] = cluster.controlPlanes;
  const old = new Witnesses(cluster, 'old certificates', heldOn(node));
  let next: Witnesses | undefined;
  const sampled = fc.sample(moments, stages.length);
  let hits = 0;
  for (const [index, stage] of stages.entries()) {
    const accepted = { distrust: ['--accept', 'issued-clients'], finish: ['--accept', 'unauthorized'] };
    const more = stage === 'distrust' || stage === 'finish' ? accepted[stage] : [];
    const restart = stage === 'prepare' ? [] : ['--restart', ...quick];
    const args = ['ca', 'rotate', stage, ...restart, ...more];
    // What is prepared is not prepared again: a run that was killed after that has left nothing to do.
    const isDone = (): boolean =>
      stage === 'prepare' && existsSync(node.path('pki/.kubepki/rotation/plan.json'));
    for (const [nth, moment] of (sampled[index] ?? []).entries()) {
      if (isDone()) break;
      const when = `${stage}, killed at ${JSON.stringify(moment)}`;
      const isKilled = await killedAt(node, args, moment);
      conductor.note(`${node.name}# kubepki ${args.join(' ')}`, `(${when}: ${String(isKilled)})`);
      assert.ok(isKilled || nth > 0, `${when}: it was not killed`);
      hits += isKilled ? 1 : 0;
      await pause(500);
      assertComponentsServed(cluster, when);
      if (orderOf(stage) < orderOf('distrust')) old.assertServed(when);
      next?.assertServed(when);
    }
    if (!isDone()) await conductor.mustRun(node, ...args);
    await conductor.after(node);
    await cluster.settled();
    assertComponentsServed(cluster, stage);
    if (orderOf(stage) < orderOf('distrust')) old.assertServed(stage);
    else await old.assertRefused(stage);
    next?.assertServed(stage);
    if (stage === 'trust')
      next = new Witnesses(cluster, 'new certificates', heldOfNext(openssl, node, scratch).both);
  }
  t.diagnostic(`killed ${String(hits)} times`);
  opensslWord(openssl, node, scratch);
  await conductor.mustRun(node, 'verify', '--live');
});

function orderOf(stage: (typeof stages)[number]): number {
  return stages.indexOf(stage);
}
