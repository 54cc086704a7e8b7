import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePeriod } from '../../src/config/period.ts';

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
  for (const text of [
    '',
    '0',
    '0d',
    '-5d',
    '5',
    'd',
    '1h2d',
    '1.5d',
    '5 d',
    '5D',
    '300y',
    '1y-12h',
    '9'.repeat(400) + 'd',
  ]) {
    test(`${JSON.stringify(text.slice(0, 20))} is none`, () => {
      assert.equal(parsePeriod(text), undefined);
    });
  }
});
