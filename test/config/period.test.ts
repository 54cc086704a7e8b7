import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { longestPeriod, parsePeriod } from '../../src/config/period.ts';

const hour = 3_600_000;

describe('a period', () => {
  for (const [text, hours] of [
    ['720h', 720],
    ['90d', 2160],
    ['4w', 672],
    ['2y', 17520],
    ['1y12h', 8772],
    ['1y2w3d4h30m', 8760 + 336 + 72 + 4.5],
    ['1.5h', 1.5],
  ] as const) {
    test(`${text} is ${String(hours)} hours`, () => {
      assert.equal(parsePeriod(text), hours * hour);
    });
  }
  for (const text of ['', '0', '0d', '-5d', '5', 'd', '1h2d', '1.5d', '5 d', '5D', '1y-12h']) {
    test(`${JSON.stringify(text.slice(0, 20))} is none`, () => {
      assert.equal(parsePeriod(text), undefined);
    });
  }
  for (const text of [
    '292y',
    '999y',
    '2562048h',
    '200y900000h',
    '9'.repeat(400) + 'd',
    '1y' + '9'.repeat(400) + 'h',
  ]) {
    test(`${text.slice(0, 20)} is well-formed, and longer than the longest`, () => {
      assert.equal(parsePeriod(text), 'too-long');
      assert.equal(parsePeriod(longestPeriod), 291 * 8760 * hour);
    });
  }
});
