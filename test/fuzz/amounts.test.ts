import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amountsFor, totalOf } from './amounts.ts';

test('the full form has at least 20000 inputs, and FUZZ is their number', () => {
  assert.ok(totalOf(amountsFor({ FAULTS: 'all' })) >= 20_000);
  for (const wanted of [1, 999, 54_321, 1_000_000]) {
    assert.equal(totalOf(amountsFor({ FUZZ: String(wanted), FAULTS: 'all' })), wanted);
  }
  for (const FUZZ of ['', '0', '-1', '1e99', 'many']) assert.throws(() => amountsFor({ FUZZ }), /FUZZ/);
});
