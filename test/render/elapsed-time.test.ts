import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elapsedTime } from '../../src/render/elapsed-time.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

for (const [milliseconds, expected] of [
  [0, '0s'],
  [999, '0s'],
  [second, '1s'],
  [4 * second + 999, '4s'],
  [minute - 1, '59s'],
  [minute, '1m00s'],
  [minute + 2 * second, '1m02s'],
  [hour - 1, '59m59s'],
  [hour, '1h00m00s'],
  [25 * hour + minute + second, '25h01m01s'],
] as const) {
  test(`${String(milliseconds)} ms are ${expected}`, () => {
    assert.equal(elapsedTime(milliseconds), expected);
  });
}
