import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { primitive } from '../../../src/pki/der/der.ts';
import { parseTime } from '../../../src/pki/der/time.ts';

const utc = (text: string): string => parseTime(primitive('utcTime', Buffer.from(text))).toISOString();
const generalized = (text: string): string =>
  parseTime(primitive('generalizedTime', Buffer.from(text))).toISOString();

describe('X.509 times (RFC 5280, 4.1.2.5)', () => {
  test('a two-digit year of 50 or more is in the 20th century', () => {
    assert.equal(utc('491231235959Z'), '2049-12-31T23:59:59.000Z');
    assert.equal(utc('500101000000Z'), '1950-01-01T00:00:00.000Z');
    assert.equal(utc('000229000000Z'), '2000-02-29T00:00:00.000Z');
  });

  test('GeneralizedTime has four digits, also 9999 for no well-defined end', () => {
    assert.equal(generalized('20500101000000Z'), '2050-01-01T00:00:00.000Z');
    assert.equal(generalized('99991231235959Z'), '9999-12-31T23:59:59.000Z');
  });

  test('days that do not exist, zones, missing seconds and fractions are refused', () => {
    for (const bad of [
      '260230000000Z',
      '261301000000Z',
      '260101240000Z',
      '2601010000Z',
      '260101000000+0100',
      '',
    ]) {
      assert.throws(() => utc(bad), { code: 'bad-certificate' }, bad);
    }
    for (const bad of ['20260101000000.5Z', '20270229000000Z', '260101000000Z']) {
      assert.throws(() => generalized(bad), { code: 'bad-certificate' }, bad);
    }
  });
});
