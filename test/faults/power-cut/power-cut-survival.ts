import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../../support/tree.ts';
import { AfterPowerCut, type Ends } from './after-power-cut.ts';
import type { FileOperation } from './file-operation.ts';
import { forEachParallel } from '../pool.ts';
import { powerCuts } from './power-cuts.ts';
import { recoverByCommand, recoverHere } from '../recover.ts';
import { evenly, everyPoint } from '../sample.ts';
import { operationsOf, requireFaithful, type RunningSystem } from './running-system.ts';

/** Of so many disks the command itself recovers; `npm run test:faults` recovers all the others in this process. */
const sampleSize = 16;

/** A command line on a node, without its `--rootfs`. */
export interface Run {
  readonly args: readonly string[];
  /** How many of its operations take it to where only one end is possible. */
  readonly decided: (operations: readonly FileOperation[]) => number;
  /** What it says on stdout when it is done. */
  readonly announcement: RegExp;
}

/**
 * Cuts the power at every moment of a run, recovers from each of the disks that may be left, and judges each.
 * @param endsAfter asked when the run is through
 */
export async function requireSurvival(
  t: TestContext,
  strace: string,
  system: RunningSystem,
  { args, decided, announcement }: Run,
  endsAfter: () => Ends,
): Promise<void> {
  const operations = await operationsOf(t, strace, system.tree, args);
  const said = operations.findIndex((one) => one.kind === 'say' && announcement.test(one.text));
  assert.ok(said >= decided(operations), 'it was said before it was so');
  const all = powerCuts(system.disk, operations, decided(operations));
  assert.ok(all.length > 20, 'the trace is not read right');
  requireFaithful(system);
  const byCommand = new Set(evenly(all, sampleSize));
  const cuts = everyPoint ? all : [...byCommand];
  const after = new AfterPowerCut(temporaryDirectory(t), endsAfter());
  const states = { old: 0, new: 0 };
  const failures: string[] = [];
  await forEachParallel([...cuts.entries()], async ([index, cut]) => {
    try {
      const recover = byCommand.has(cut) ? recoverByCommand : recoverHere;
      states[await after.recover(cut, `cut-${String(index)}`, recover)] += 1;
    } catch (cause) {
      failures.push(`${cut.where}\n${cause instanceof Error ? cause.message : String(cause)}`);
    }
  });
  t.diagnostic(
    `${String(cuts.length)} power cuts, ${String(states.old + states.new)} survived (${String(states.old)} old, ${String(states.new)} new)`,
  );
  assert.equal(failures.length, 0, [`${String(failures.length)} lost`, ...failures.slice(0, 3)].join('\n\n'));
}
