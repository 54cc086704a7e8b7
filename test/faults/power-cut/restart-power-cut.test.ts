/** The power fails during a restart, or while the next run puts back what a killed one has taken away. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { snapshot, temporaryDirectory, type Snapshot } from '../../support/tree.ts';
import { writeImage, type DiskImage } from './disk-image.ts';
import type { FileOperation } from './file-operation.ts';
import { forEachParallel } from '../pool.ts';
import { powerCuts, type PowerCut } from './power-cuts.ts';
import { recoverByCommand, recoverHere } from '../recover.ts';
import { requireAsBefore, times, waitingPath } from '../restart-bed.ts';
import { afterKill, booted, operationsOf, requireFaithful, type RunningSystem } from './running-system.ts';
import { evenly, everyPoint, spread } from '../sample.ts';
import { treeAt } from '../scenario.ts';
import { manifestPath, staticPod } from '../static-pod.ts';

const journalPath = 'etc/kubernetes/pki/.kubepki/restart.json';

interface Restart {
  readonly strace: string;
  /** As it was before the first of the operations. */
  readonly system: RunningSystem;
  readonly operations: readonly FileOperation[];
  readonly manifest: Buffer;
  readonly before: Snapshot;
}

async function tracedRestart(
  t: TestContext,
  injections: readonly string[] | undefined,
): Promise<Restart | undefined> {
  const strace = judge(t, 'strace');
  if (strace === undefined) return undefined;
  const pod = await staticPod(t);
  const tree = quickTree(t);
  pod.lay(tree.directory);
  pod.follow(tree.directory);
  const before = snapshot(tree.directory);
  const manifest = readFileSync(join(tree.directory, manifestPath));
  const system = booted(tree);
  const operations = await operationsOf(t, strace, tree, ['restart', 'kube-scheduler', ...times], {
    group: [],
    ...(injections === undefined ? {} : { injections }),
  });
  return { strace, system, operations, manifest, before };
}

/** At one of its places, and if only where it waits, a journal says where it belongs. */
function requireThere(image: DiskImage, manifest: Buffer): void {
  const isComplete = (place: string): boolean => {
    const entry = image.get(place);
    return entry?.type === 'file' && entry.data.equals(manifest) && entry.mode === 0o640;
  };
  if (isComplete(manifestPath)) return;
  assert.equal(image.get(manifestPath), undefined, 'what is in its place is complete');
  assert.ok(isComplete(waitingPath), 'it is complete at one of its places');
  const journal = image.get(journalPath);
  assert.ok(journal?.type === 'file', 'a journal brings it back');
  assert.doesNotThrow(() => JSON.parse(journal.data.toString()) as unknown);
}

/** The index of the operation that takes this name away. */
function removal(operations: readonly FileOperation[], path: string): number {
  const index = operations.findIndex((operation) => operation.kind === 'unlink' && operation.path === path);
  assert.notEqual(index, -1);
  return index;
}

/** Boots each disk and recovers as the unit does that runs before the kubelet. */
async function requireSurvival(
  t: TestContext,
  cuts: readonly PowerCut[],
  { manifest, before }: Pick<Restart, 'manifest' | 'before'>,
): Promise<void> {
  const scratch = temporaryDirectory(t);
  const places = { inPlace: 0, waiting: 0 };
  const byCommand = new Set(evenly(cuts, 12));
  await forEachParallel([...cuts.entries()], async ([index, cut]) => {
    const { image, where } = cut;
    const directory = join(scratch, `cut-${String(index)}`);
    try {
      requireThere(image, manifest);
      places[image.has(manifestPath) ? 'inPlace' : 'waiting'] += 1;
      writeImage(image, directory);
      await (byCommand.has(cut) ? recoverByCommand : recoverHere)(treeAt(directory));
      requireAsBefore(before, directory);
    } catch (cause) {
      throw new Error(`${where}: ${String(cause)}`, { cause });
    }
    rmSync(directory, { recursive: true });
  });
  t.diagnostic(`${String(cuts.length)} power cuts: ${JSON.stringify(places)}`);
}

for (const [where, injections] of [
  ['', undefined],
  [', where there are no hard links', ['link:error=EPERM']],
] as const) {
  describe(`a power cut${where}`, () => {
    test('during a restart: the manifest is whole at one of its places, and recover puts it back', async (t) => {
      const restart = await tracedRestart(t, injections);
      if (restart === undefined) return;
      const { system, operations } = restart;
      const cuts = powerCuts(system.disk, operations, Infinity);
      requireFaithful(system);
      assert.ok(cuts.length > 15, `only ${String(cuts.length)} disks: the trace is not read right`);
      const away = cuts.filter(({ image }) => !image.has(manifestPath));
      assert.notEqual(away.length, 0);
      const others = cuts.filter((cut) => !away.includes(cut));
      await requireSurvival(t, [...away, ...spread(others, 5)], restart);
    });

    test('during the recovery after a kill at any moment', async (t) => {
      const restart = await tracedRestart(t, injections);
      if (restart === undefined) return;
      const { strace, operations } = restart;
      // The restart has left the tree as it was.
      const { tree } = restart.system;
      const moments = operations.map((_, index) => index + 1);
      const whileAway = moments.slice(removal(operations, manifestPath), removal(operations, waitingPath));
      for (const moment of everyPoint ? moments : spread(whileAway, 3)) {
        const killed = afterKill(t, booted(tree), operations.slice(0, moment));
        const recovery = await operationsOf(t, strace, killed.tree, ['recover'], {
          ...(injections === undefined ? {} : { injections }),
        });
        const cuts = powerCuts(killed.disk, recovery, Infinity);
        requireFaithful(killed);
        await requireSurvival(t, spread(cuts, 4), restart);
      }
    });
  });
}

test('a power cut after somebody has put a copy of the manifest in its place, and recover has found it there', async (t) => {
  const restart = await tracedRestart(t, undefined);
  if (restart === undefined) return;
  const { strace, system, operations, manifest } = restart;
  const { tree, disk } = afterKill(t, system, operations.slice(0, removal(operations, manifestPath) + 1));
  // With cp: it flushes nothing.
  const copy: readonly FileOperation[] = [
    { kind: 'create', path: manifestPath, mode: 0o640 },
    { kind: 'write', path: manifestPath, data: manifest, offset: 0 },
  ];
  copy.forEach((operation) => {
    disk.apply(operation);
  });
  writeFileSync(join(tree.directory, manifestPath), manifest, { mode: 0o640 });
  const recovery = await operationsOf(t, strace, tree, ['recover']);
  const cuts = powerCuts(disk, recovery, Infinity);
  requireFaithful({ tree, disk });
  const lost = cuts.filter(({ image }) => {
    const files = [manifestPath, waitingPath].map((place) => image.get(place));
    return !files.some((entry) => entry?.type === 'file' && entry.data.equals(manifest));
  });
  assert.deepEqual(
    lost.map(({ where }) => where),
    [],
  );
});
