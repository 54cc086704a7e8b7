import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { totalOf } from './amounts.ts';
import { orderFrom } from './environment.ts';
import { runWatched } from './watched.ts';

// On a machine that is busy an input may have to wait for its turn, but not so long.
const silenceMs = 60_000;

/** Runs the campaigns of a module as the environment asks, and says what came of it. */
export async function fuzz(t: TestContext, module: URL): Promise<void> {
  const order = orderFrom(process.env);
  const done = await runWatched(t, module, order, { silenceMs });
  let total = 0;
  for (const { kind, outcomes, slowestMs } of done) {
    const count = totalOf(outcomes);
    total += count;
    const ends = Object.entries(outcomes).map(([outcome, times]) => `${String(times)} ${outcome}`);
    t.diagnostic(
      `${kind}: ${String(count)} inputs (${ends.join('; ')}), the slowest took ${String(slowestMs)} ms of CPU time`,
    );
    if (order.replay !== undefined) continue;
    assert.equal(count, order.inputs[kind]);
    // Inputs that all come to the same end try only the first check on the way.
    if (count >= 300) assert.ok(ends.length > 1, `${kind}: ${ends.join()}`);
  }
  t.diagnostic(`${String(total)} of the ${String(totalOf(order.inputs))} inputs of all fuzz tests`);
}
