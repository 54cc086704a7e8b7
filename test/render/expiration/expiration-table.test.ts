import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ExpirationRow } from '../../../src/operations/expiration/expiration-report.ts';
import { expirationTable } from '../../../src/render/expiration/expiration-table.ts';
import fc from '../../support/properties.ts';

const day = 24 * 3600 * 1000;
const notAfter = new Date('2027-01-02T03:04:59.999Z');

function row(name: string, residualMs: number, caName?: string): ExpirationRow {
  const common = {
    status: 'present',
    name,
    notAfter,
    residualMs,
    externallyManaged: false,
    faults: [],
    refused: false,
  } as const;
  return caName === undefined ? common : { ...common, caName };
}

describe('the table', () => {
  test('is laid out as Go writes it with tabwriter: at least 10 wide, 3 apart, the two tables on their own', () => {
    const name = fc.stringMatching(/^[a-z][a-z.-]{0,40}$/);
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 8 }),
        fc.array(name, { minLength: 1 }),
        (names, cas) => {
          const text = expirationTable({
            certificates: names.map((one) => row(one, 40 * day, 'etcd-ca')),
            certificateAuthorities: cas.map((one) => row(one, 3000 * day)),
          });
          // First principles: a cell is padded to max(10, longest + 3); the last one is no column.
          const pad = (cell: string, column: readonly string[]): string =>
            cell.padEnd(Math.max(10, Math.max(...column.map(({ length }) => length)) + 3));
          const first = ['CERTIFICATE', ...names];
          const second = ['CERTIFICATE AUTHORITY', ...cas];
          const date = 'Jan 02, 2027 03:04 UTC   ';
          const expected = [
            `${pad('CERTIFICATE', first)}EXPIRES                  RESIDUAL TIME   CERTIFICATE AUTHORITY   EXTERNALLY MANAGED`,
            ...names.map(
              (one) => `${pad(one, first)}${date}40d             etcd-ca                 no      `,
            ),
            '',
            `${pad('CERTIFICATE AUTHORITY', second)}EXPIRES                  RESIDUAL TIME   EXTERNALLY MANAGED`,
            ...cas.map((one) => `${pad(one, second)}${date}8y              no      `),
            '',
          ].join('\n');
          assert.equal(text, expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  const report = {
    certificates: [
      row('expired', -day, 'ca'),
      row('soon', 30 * day, 'ca'),
      row('later', 30 * day + 1, 'ca'),
      { status: 'missing', name: 'gone' },
      { status: 'unreadable', name: 'broken' },
    ],
    certificateAuthorities: [row('ca', 3000 * day)],
  } as const;

  test('missing and invalid rows have empty cells', () => {
    const lines = expirationTable(report).split('\n');
    assert.equal(lines[4], `!MISSING! gone${' '.repeat(70)}`);
    assert.equal(lines[5], `!INVALID! broken${' '.repeat(68)}`);
    assert.equal(
      lines[2],
      'soon               Jan 02, 2027 03:04 UTC   30d             ca                      no      ',
    );
  });
});
