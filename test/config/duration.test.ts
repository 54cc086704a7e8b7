import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  formatGoDuration,
  longestGoDuration,
  longestPeriod,
  parseGoDuration,
  parsePeriod,
} from '../../src/config/duration.ts';
import fc from '../support/properties.ts';

describe("Go's durations", () => {
  const hour = 3_600_000;
  // From the documentation and the tests of Go's time.ParseDuration.
  const good: readonly (readonly [string, number])[] = [
    ['0', 0],
    ['8760h', 8760 * hour],
    ['8760h0m0s', 8760 * hour],
    ['1h30m', 1.5 * hour],
    ['1.5h', 1.5 * hour],
    ['.5h', 0.5 * hour],
    ['1.h', hour],
    ['90m', 1.5 * hour],
    ['-1.5h', -1.5 * hour],
    ['+5s', 5000],
    ['300ms', 300],
    ['2us', 0.002],
    ['2µs', 0.002],
    ['2μs', 0.002],
    ['1ns', 0.000001],
    ['39h9m14.425s', 39 * hour + 9 * 60_000 + 14_425],
    ['2562047h', 2562047 * hour],
  ];
  for (const [text, milliseconds] of good) {
    test(`${text} is ${String(milliseconds)} ms`, () => {
      assert.equal(parseGoDuration(text), milliseconds);
    });
  }

  for (const text of [
    '',
    '3',
    '-',
    's',
    '.',
    '-.',
    '.s',
    '+.s',
    '1d',
    '1y',
    '1 h',
    ' 1h',
    '1h ',
    '1H',
    '1h-5m',
    '8760',
    '1e3h',
  ]) {
    test(`${JSON.stringify(text)} is none`, () => {
      assert.equal(parseGoDuration(text), undefined);
    });
  }

  for (const text of ['2562048h', '-2562048h', `${'9'.repeat(400)}s`]) {
    test(`${text.slice(0, 20)} is well-formed, and longer than the longest`, () => {
      assert.equal(parseGoDuration(text), 'too-long');
      assert.equal(typeof parseGoDuration(longestGoDuration), 'number');
    });
  }

  test('are written as Go writes them', () => {
    const written = [0, 1000, 61_000, 8760 * hour, 1.5 * hour, -90_000].map(formatGoDuration);
    assert.deepEqual(written, ['0s', '1s', '1m1s', '8760h0m0s', '1h30m0s', '-1m30s']);
  });

  test('what is written reads back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9_000_000_000, max: 9_000_000_000 }), (seconds) => {
        assert.equal(parseGoDuration(formatGoDuration(seconds * 1000)), seconds * 1000);
      }),
    );
  });
});

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
