import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endProblem } from '../../../src/operations/install/check-signed.ts';

const now = new Date('2027-01-01T00:00:00Z');
const minute = 1 / (24 * 60);

function inDays(days: number): Date {
  return new Date(now.getTime() + days * 24 * 3600 * 1000);
}

test('how soon a certificate may end that is put in place', () => {
  const refused = (days: number, inUse: number | undefined): boolean =>
    endProblem(inDays(days), inUse === undefined ? undefined : { notAfter: inDays(inUse) }, now) !==
    undefined;
  // Within a day: whatever there is, or is not.
  for (const inUse of [undefined, -5, 0.5, 29, 30, 365]) {
    for (const days of [minute, 0.5, 1]) assert.ok(refused(days, inUse), `${String(days)} ${String(inUse)}`);
  }
  // Within a week: while the one in use still has thirty days.
  for (const days of [1 + minute, 2, 7]) {
    for (const inUse of [30, 31, 365]) assert.ok(refused(days, inUse), `${String(days)} ${String(inUse)}`);
    for (const inUse of [undefined, -5, 1, 30 - minute]) assert.ok(!refused(days, inUse));
  }
  for (const days of [7 + minute, 20, 90, 365]) {
    for (const inUse of [undefined, 1, 365, 3650]) assert.ok(!refused(days, inUse));
  }
});
