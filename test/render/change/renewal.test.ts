import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { renewalLines, type RenewalOutcome } from '../../../src/render/change/renewal.ts';

const notAfter = new Date('2027-11-01T00:00:00Z');
const notDue: RenewalOutcome = { status: 'not-due', longName: 'A', notAfter };
const missing: RenewalOutcome = { status: 'missing', longName: 'B' };
const renewed: RenewalOutcome = { status: 'renewed', longName: 'C' };
const idle = { closing: false, within: '30d', due: false };

describe('what is not due is said', () => {
  test('in one line, where nothing is', () => {
    assert.equal(renewalLines([notDue, notDue], idle), 'nothing is due within 30d\n');
  });

  test('in one line beside what is missing', () => {
    assert.equal(renewalLines([notDue, missing], idle), 'MISSING! B\nnothing is due within 30d\n');
  });

  test('of each, beside one that is renewed', () => {
    assert.equal(
      renewalLines([notDue, renewed], idle),
      'A is not due: it ends Nov 01, 2027 00:00 UTC\nC renewed\n',
    );
  });

  test('of each, beside one that will be renewed and is shown elsewhere', () => {
    assert.equal(
      renewalLines([notDue], { ...idle, due: true }),
      'A is not due: it ends Nov 01, 2027 00:00 UTC\n',
    );
  });
});

test('nothing to say is no line', () => {
  assert.equal(renewalLines([], idle), '');
});
