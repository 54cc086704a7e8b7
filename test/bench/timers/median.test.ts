import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mean, median } from './median.ts';

test('the median is the one in the middle, or between the two there, by size and not as text', () => {
  assert.equal(median([100, 9, 20]), 20);
  assert.equal(median([1, 4, 2, 100]), 3);
  assert.equal(median([7]), 7);
});

test('the list stays as it is', () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test('the mean', () => {
  assert.equal(mean([1, 2, 6]), 3);
});

test('of nothing there is none', () => {
  assert.throws(() => median([]), RangeError);
  assert.throws(() => mean([]), RangeError);
});
