import assert from 'node:assert/strict';
import { test } from 'node:test';
import { amount, ratio, type Figures } from './figure.ts';
import { renderTable, withTable } from './table.ts';

const figures: Figures = {
  cores: 4,
  with: { 'Node.js': '20.0.0', 'timed by': 'bash' },
  figures: [
    ratio(
      { name: 'start', unit: 'ms CPU', limit: 1.6 },
      { of: 'check', value: 60 },
      { of: 'bare', value: 40 },
    ),
    ratio({ name: 'late', unit: 'ms', limit: 1 }, { of: 'check', value: 80 }, { of: 'bare', value: 40 }),
    amount({ name: 'trees', unit: 'ms', limit: 2 }, { of: 'each', value: 1.5 }),
    amount({ name: 'memory', unit: 'MiB', limit: 150 }, { of: 'peak', value: 150.25 }),
    amount({ name: 'nothing', unit: 'MiB', limit: 150 }, { of: 'peak', value: null }),
    ratio({ name: 'other', unit: 'ms' }, { of: 'loop', value: null }, { of: 'check', value: 3 }),
  ],
};

const table = `<!-- figures -->
| figure | measured | against | ratio | limit |
| --- | --- | --- | --- | --- |
| start | check: 60 ms CPU | bare: 40 ms CPU | 1.50 | 1.6 |
| late | check: 80 ms | bare: 40 ms | 2.00 | 1, **missed** |
| trees | each: 1.5 ms |  |  | 2 ms |
| memory | peak: 150.3 MiB |  |  | 150 MiB, **missed** |
| nothing | peak: not measured |  |  | 150 MiB |
| other | loop: not measured | check: 3 ms |  |  |

4 cores; Node.js 20.0.0, timed by bash.
<!-- /figures -->`;

test('a line for each figure, and a limit that is missed says so', () => {
  assert.equal(renderTable(figures), table);
});

test('one core', () => {
  assert.match(renderTable({ ...figures, cores: 1 }), /^1 core; /m);
});

test('the table takes the place of the one before', () => {
  const text = 'before\n\n<!-- figures -->\nold $& \n<!-- /figures -->\nafter\n';
  const changed = withTable(text, table);
  assert.equal(changed, `before\n\n${table}\nafter\n`);
  assert.equal(withTable(changed, table), changed);
});

test('without marks there is no place for it', () => {
  assert.throws(() => withTable('text', table), /no place/);
  assert.throws(() => withTable('<!-- /figures --> <!-- figures -->', table), /no place/);
});
