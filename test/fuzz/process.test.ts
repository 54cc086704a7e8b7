import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { forEachParallel } from '../faults/pool.ts';
import fc from '../support/properties.ts';
import { temporaryDirectory } from '../support/tree.ts';
import { totalOf } from './amounts.ts';
import { orderFrom } from './environment.ts';
import { inputsOf, replayable, type FuzzInput } from './input.ts';
import { renewReally } from './real-renewal.ts';
import { processInputs } from './samples.ts';

const { seed, inputs: amounts, replay } = orderFrom(process.env);

function chosen(): FuzzInput[] {
  if (replay !== undefined) return processInputs.some(({ name }) => name === replay.kind) ? [replay] : [];
  return processInputs.flatMap((kind) =>
    fc.sample(inputsOf(kind), { numRuns: amounts[kind.name] ?? 0, seed }),
  );
}

test('a mutated file, and the real renewal: all of it and sound, or nothing', async (t) => {
  const inputs = chosen();
  const outcomes = new Map<string, number>();
  const directory = temporaryDirectory(t);
  await forEachParallel([...inputs.entries()], async ([index, input]) => {
    const scratch = join(directory, String(index));
    try {
      const outcome = await renewReally(input, scratch);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    } catch (cause) {
      throw new Error(`${String(cause)}\n${replayable(input)}`, { cause });
    }
    for (const made of [scratch, `${scratch}-embedded`]) rmSync(made, { recursive: true, force: true });
  });
  t.diagnostic(
    `${String(inputs.length)} of the ${String(totalOf(amounts))} inputs of all fuzz tests: ${[...outcomes].map(([outcome, count]) => `${outcome} ${String(count)} times`).join(', ')}`,
  );
  // Of this many some are good enough, and some are not: both ends were looked at.
  if (inputs.length >= 40) assert.ok(outcomes.has('exit 0') && outcomes.has('exit 1'));
});
