import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, ratio } from './figure.ts';

test('two values and how many times the second the first is', () => {
  assert.deepEqual(
    ratio(
      { name: 'start', unit: 'ms CPU', limit: 1.6 },
      { of: 'a', value: 60.04 },
      { of: 'b', value: 40.01 },
    ),
    {
      name: 'start',
      unit: 'ms CPU',
      values: [
        { of: 'a', value: 60 },
        { of: 'b', value: 40 },
      ],
      ratio: 1.5,
      limit: 1.6,
    },
  );
});

test('a small value keeps its second decimal', () => {
  assert.deepEqual(amount({ name: 'each', unit: 'ms' }, { of: 'a', value: 1.2345 }).values, [
    { of: 'a', value: 1.23 },
  ]);
});

test('what was not measured has no ratio, and keeps its limit', () => {
  const found = ratio({ name: 'n', unit: 'ms', limit: 2 }, { of: 'a', value: 1 }, { of: 'b', value: null });
  assert.equal(found.ratio, null);
  assert.equal(found.limit, 2);
});
