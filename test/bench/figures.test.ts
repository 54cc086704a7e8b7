/** The figures that were recorded last: figures.json, and the table of docs/performance.md. No test measures anything. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { Figures } from './figure.ts';
import { renderTable, withTable } from './table.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const text = read('figures.json');
const recorded = JSON.parse(text) as Figures;

test('the table of docs/performance.md is what figures.json says', () => {
  const page = read('../../docs/performance.md');
  assert.equal(withTable(page, renderTable(recorded)), page);
});

test('every limit that was promised is there', () => {
  const limits = recorded.figures.filter(({ limit }) => limit !== null);
  const trees = ['executable', 'Node.js'].flatMap((runtime) => [
    ...['text', 'JSON'].flatMap((output) => [
      [`1,000 trees, ${runtime}, ${output}`, 'each after the first', 10, 'ms'],
      [`1,000 trees, ${runtime}, ${output}`, 'peak memory', 150, 'MiB'],
    ]),
    [`1,000 trees, ${runtime}, Prometheus`, 'peak memory', 150, 'MiB'],
  ]);
  assert.deepEqual(
    limits.map(({ name, values, limit, unit }) => [name, values[0].of, limit, unit]),
    [
      ['Start-up, Node.js, RSA', 'check-expiration', 2.4, 'ms CPU'],
      ['Start-up, executable, RSA', 'check-expiration', 2, 'ms CPU'],
      ['Start-up, Node.js, ECDSA', 'check-expiration', 2.4, 'ms CPU'],
      ['Start-up, executable, ECDSA', 'check-expiration', 2, 'ms CPU'],
      ['Verify, Node.js', '`verify`', 1.5, 'ms CPU'],
      ['Verify, executable', '`verify`', 1.5, 'ms CPU'],
      ['Ten RSA-2048 keys, executable', '`renew all`', 1.25, 'ms'],
      ...trees,
    ],
  );
});

test('of the machine only the number of its cores is told', () => {
  assert.deepEqual(Object.keys(recorded), ['cores', 'with', 'figures']);
  assert.ok(Number.isInteger(recorded.cores));
  const known = ['Node.js', 'Bun', 'openssl', 'timed by'];
  assert.deepEqual(
    Object.keys(recorded.with).filter((name) => !known.includes(name)),
    [],
  );
  for (const [name, version] of Object.entries(recorded.with)) {
    assert.match(version, name === 'timed by' ? /^(?:hyperfine|bash)$/ : /^\d+\.\d+\.\d+$/);
  }
  for (const figure of recorded.figures) {
    assert.deepEqual(Object.keys(figure), ['name', 'unit', 'values', 'ratio', 'limit']);
    for (const value of figure.values) assert.deepEqual(Object.keys(value), ['of', 'value']);
  }
  // Nor the path of anything.
  assert.doesNotMatch(text, /"\/|\/(?:dev|home|root|tmp|usr|var)\b/);
});
