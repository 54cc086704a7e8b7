import assert from 'node:assert/strict';
import { test } from 'node:test';
import { humanDuration, elapsedTime } from '../../src/render/times.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

// Both sides of every border of k8s.io/apimachinery's HumanDuration.
const borders: readonly (readonly [number, string])[] = [
  [-10 * 365 * day, '<invalid>'],
  [-2 * second, '<invalid>'],
  [-1999, '0s'],
  [-1, '0s'],
  [0, '0s'],
  [999, '0s'],
  [second, '1s'],
  [119 * second + 999, '119s'],
  [2 * minute, '2m'],
  [2 * minute + second, '2m1s'],
  [10 * minute - second, '9m59s'],
  [10 * minute, '10m'],
  [10 * minute + 59 * second, '10m'],
  [3 * hour - second, '179m'],
  [3 * hour, '3h'],
  [3 * hour + minute, '3h1m'],
  [8 * hour - second, '7h59m'],
  [8 * hour, '8h'],
  [48 * hour - second, '47h'],
  [48 * hour, '2d'],
  [49 * hour, '2d1h'],
  [8 * day - second, '7d23h'],
  [8 * day, '8d'],
  [364 * day + 23 * hour, '364d'],
  [365 * day, '365d'],
  [2 * 365 * day - second, '729d'],
  [2 * 365 * day, '2y'],
  [(2 * 365 + 327) * day, '2y327d'],
  [8 * 365 * day - second, '7y364d'],
  [8 * 365 * day, '8y'],
  [10 * 365 * day - second, '9y'],
  [100 * 365 * day, '100y'],
];

for (const [milliseconds, text] of borders) {
  test(`${String(milliseconds)} ms is ${text}`, () => {
    assert.equal(humanDuration(milliseconds), text);
  });
}

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
