import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interleaved } from './rounds.ts';
import type { Timer, Words } from './timers/timing.ts';

test('each round has all commands, the first one does not count, the median of the others does', () => {
  const asked: { readonly commands: readonly Words[]; readonly runs: number }[] = [];
  const timer: Timer = (commands, runs) => {
    asked.push({ commands, runs });
    // 1000 first, then 10, 20, 90.
    const wallMs = [1000, 10, 20, 90][asked.length - 1] ?? NaN;
    return commands.map((_, index) => ({ wallMs: wallMs + index, cpuMs: 2 * wallMs }));
  };
  const plan = { rounds: 3, runs: 4 };
  const took = interleaved(timer, plan, { one: ['true'], other: ['sh', '-c', ':'] });
  assert.deepEqual(took, { one: { wallMs: 20, cpuMs: 40 }, other: { wallMs: 21, cpuMs: 40 } });
  assert.deepEqual(
    asked.map(({ runs }) => runs),
    [1, 4, 4, 4],
  );
  for (const { commands } of asked) assert.deepEqual(commands, [['true'], ['sh', '-c', ':']]);
});
