import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from '../../support/properties.ts';
import stringWidth from 'string-width';
import { cellWidth, cutInMiddle } from '../../../src/terminal/tables/cell-width.ts';
import { drawRows, drawTitles } from '../../../src/terminal/tables/draw.ts';
import { fit, type Column, type Layout } from '../../../src/terminal/tables/fit.ts';
import { foldedText } from '../../../src/terminal/tables/folded-text.ts';
import { assertWholeWords, tableLines } from '../../support/table-lines.ts';

/** Wide characters, combining ones, and some of several code points. */
const text = fc
  .array(fc.constantFrom('a', 'Z', '7', '-', '/', ' ', 'é', 'e\u0301', '節', 'ノ', '한', '👩‍💻', '🇨🇭'), {
    maxLength: 60,
  })
  .map((parts) => parts.join('').trim());

suite('cells', () => {
  test('a wide character takes two cells, a combining one none', () => {
    assert.deepEqual(['abc', '節点', 'e\u0301', ''].map(cellWidth), [3, 4, 1, 0]);
  });

  test('the middle of a long text gives way', () => {
    assert.equal(cutInMiddle('control-plane-17', 16), 'control-plane-17');
    assert.equal(cutInMiddle('control-plane-17', 9), 'cont…e-17');
    assert.equal(cutInMiddle('control-plane-17', 8), 'cont…-17');
    assert.equal(cutInMiddle('節点制御面', 7), '節…面');
    assert.equal(cutInMiddle('ae\u0301e\u0301b', 3), 'a…b');
    assert.deepEqual([cutInMiddle('ab', 1), cutInMiddle('ab', 0)], ['…', '']);
  });

  test('what is cut fits, and ends and begins as before', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 80 }), (whole, width) => {
        const cut = cutInMiddle(whole, width);
        assert.ok(stringWidth(cut) <= width);
        if (cut === whole) return;
        const [head = '', tail = ''] = cut.split('…');
        assert.ok(whole.startsWith(head) && whole.endsWith(tail));
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

interface Row {
  readonly name: string;
  readonly words: string;
}

const name: Column<Row> = { title: 'NAME', cell: (row) => row.name, atLeast: 8 };
const words: Column<Row> = { title: 'WORDS', cell: (row) => row.words, atLeast: 10, wraps: true };
const mark: Column<Row> = { title: 'MARK', cell: () => 'x'.repeat(20) };
const empty: Column<Row> = { title: 'EMPTY', cell: () => '' };
const layouts: readonly Layout<Row>[] = [
  [name, mark, words, empty],
  [name, words],
];

suite('the layout', () => {
  test('the first for which there is room; an empty column is left out', () => {
    const rows = [{ name: 'n'.repeat(30), words: 'one two three four five' }];
    const fitted = (width: number): unknown =>
      fit(layouts, rows, width).map((column) => [column.title, column.width]);
    // All that they want.
    assert.deepEqual(fitted(77), [
      ['NAME', 30],
      ['MARK', 20],
      ['WORDS', 23],
    ]);
    assert.deepEqual(fitted(200), fitted(77));
    assert.deepEqual(fitted(42), [
      ['NAME', 8],
      ['MARK', 20],
      ['WORDS', 10],
    ]);
    assert.deepEqual(fitted(52), [
      ['NAME', 13],
      ['MARK', 20],
      ['WORDS', 15],
    ]);
    assert.deepEqual(fitted(41), [
      ['NAME', 19],
      ['WORDS', 20],
    ]);
    // Of the last one the widest gives way.
    assert.deepEqual(fitted(10), [
      ['NAME', 4],
      ['WORDS', 4],
    ]);
  });

  test('no line is wider than the terminal, no word is broken, the order stays, whatever is in it', () => {
    const row = fc.record({ name: text, words: text });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 100 }), fc.integer({ min: 12, max: 220 }), (rows, width) => {
        const look = { width, colour: true };
        const marked = rows.map((one, index) => ({ ...one, name: `${String(index)}. ${one.name}` }));
        const columns = fit(layouts, marked, width);
        const lines = tableLines(
          drawTitles(columns, look) + [...drawRows(columns, marked, look, () => 'now')].join(''),
          width,
        );
        assertWholeWords(lines.slice(1), [
          'x'.repeat(20),
          ...marked.flatMap(({ name, words }) => [name, words]),
        ]);
        const shown = lines.flatMap((line) => /^\d+(?=[.…])/.exec(line)?.[0] ?? []);
        if (width >= 20) assert.deepEqual(shown, [...marked.keys()].map(String));
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('without colour there is no escape sequence', () => {
    const look = { width: 80, colour: false };
    const rows = [{ name: 'a', words: 'b c' }];
    const columns = fit(layouts, rows, 80);
    const drawn = drawTitles(columns, look) + [...drawRows(columns, rows, look, () => 'now')].join('');
    assert.ok(!drawn.includes('\u001b'));
  });

  test('a sentence goes on in the next line', () => {
    const look = { width: 12, colour: false };
    assert.equal(
      foldedText('one two three /a/very/long/path end\nnext\n', look),
      'one two\nthree\n/a/ver…/path\nend\nnext\n',
    );
  });
});
