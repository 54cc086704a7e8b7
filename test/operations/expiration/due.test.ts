import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hasExpired, isDue } from '../../../src/operations/expiration/due.ts';
import fc from '../../support/properties.ts';

const now = new Date('2027-01-01T00:00:00Z');
const after = (milliseconds: number): Date => new Date(now.getTime() + milliseconds);

describe('what is due', () => {
  test('the window belongs to it, a millisecond more does not', () => {
    const window = { now, withinMs: 3_600_000 };
    assert.equal(isDue(after(3_600_000), window), true);
    assert.equal(isDue(after(3_600_001), window), false);
    assert.equal(isDue(now, { now, withinMs: 1 }), true);
    assert.equal(isDue(after(-1), { now, withinMs: 1 }), true);
  });

  test('nothing left is expired, a millisecond is not', () => {
    assert.deepEqual([-1, 0, 1].map(hasExpired), [true, true, false]);
  });

  test('what has expired is due in any window, and a longer window finds no less', () => {
    const span = fc.integer({ min: -1e13, max: 1e13 });
    const window = fc.integer({ min: 1, max: 1e12 });
    fc.assert(
      fc.property(span, window, window, (residualMs, a, b) => {
        const due = (withinMs: number): boolean => isDue(after(residualMs), { now, withinMs });
        if (hasExpired(residualMs)) assert.ok(due(a));
        if (due(Math.min(a, b))) assert.ok(due(Math.max(a, b)));
        assert.equal(due(a), residualMs <= a);
      }),
    );
  });
});
