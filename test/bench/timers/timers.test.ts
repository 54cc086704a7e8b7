import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { byBash, readTimes as readBash } from './bash-time.ts';
import { readTimes as readHyperfine } from './hyperfine.ts';
import { quoted, type Words } from './timing.ts';

/** Of hyperfine 1.15. */
const exported = `{
  "results": [
    {
      "command": "'sh' '-c' 'exit 0'",
      "mean": 0.002, "stddev": 0.0005, "median": 0.00175, "user": 0.0005, "system": 0.00025,
      "min": 0.001, "max": 0.003, "times": [0.00175, 0.003, 0.001], "exit_codes": [0, 0, 0]
    },
    {
      "command": "'true'",
      "mean": 0.001, "stddev": null, "median": 0.001, "user": 0.0, "system": 0.001,
      "min": 0.001, "max": 0.001, "times": [0.001], "exit_codes": [0]
    }
  ]
}`;

test('what hyperfine exports: median, and user and system together, in milliseconds', () => {
  assert.deepEqual(readHyperfine(exported), [
    { wallMs: 1.75, cpuMs: 0.75 },
    { wallMs: 1, cpuMs: 1 },
  ]);
});

test("what bash's time prints: the median of wall, the mean of user and system", () => {
  assert.deepEqual(readBash('0.250 0.125 0.125\n9.000 0.250 0.250\n0.125 0.500 0.250\n'), {
    wallMs: 250,
    cpuMs: 500,
  });
});

test('bash times each command, whatever it prints, and an error ends it', (t) => {
  if (judge(t, 'bash') === undefined) return;
  const noisy: Words = ['sh', '-c', "echo '1.0 2.0 3.0'; echo '1.0 2.0 3.0' >&2"];
  const timings = byBash([['true'], noisy], 2);
  assert.equal(timings.length, 2);
  for (const { wallMs, cpuMs } of timings) {
    assert.ok(Number.isFinite(wallMs));
    assert.notEqual(wallMs, 1000);
    assert.notEqual(cpuMs, 5000);
  }
  assert.throws(() => byBash([['sh', '-c', 'exit 3']], 2), /exits with 3/);
});

test('words are quoted for a shell', () => {
  assert.equal(quoted(['sh', '-c', "it's", '$HOME']), String.raw`'sh' '-c' 'it'\''s' '$HOME'`);
});
