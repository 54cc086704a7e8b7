/* eslint-disable no-control-regex -- escape sequences are what is looked for */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { progressLine, type ProgressLine } from '../../src/render/progress-line.ts';

const base: ProgressLine = {
  text: 'generating keys: 3 of 10',
  elapsedMs: 62_400,
  turn: 0,
  columns: 80,
  colour: false,
};

describe('a progress line', () => {
  test('has a mark that turns, what is done, and the time', () => {
    const shown = [0, 1, 2, 3, 4].map((turn) => progressLine({ ...base, turn }));
    assert.deepEqual(
      shown,
      ['|', '/', '-', '\\', '|'].map((mark) => `${mark} generating keys: 3 of 10 (1m02s)`),
    );
    assert.equal(
      progressLine({ ...base, colour: true }),
      '\u001b[36m|\u001b[39m generating keys: 3 of 10 (1m02s)',
    );
  });

  test('is not there where the terminal does not know its width, or has none', () => {
    for (const columns of [undefined, 0, 1]) assert.equal(progressLine({ ...base, columns }), '');
  });

  test('leaves the last column empty at every width, and cuts the text before the time', () => {
    for (const colour of [false, true]) {
      for (let columns = 2; columns < 50; columns += 1) {
        const row = progressLine({ ...base, columns, colour }).replaceAll(/\u001b\[\d+m/g, '');
        assert.equal(row.length, Math.min(columns - 1, '| generating keys: 3 of 10 (1m02s)'.length));
      }
    }
    assert.equal(progressLine({ ...base, columns: 25 }), '| generating key (1m02s)');
  });

  test('draws nothing that it was given to draw, and counts wide characters as two', () => {
    assert.equal(progressLine({ ...base, text: 'a\u001b[2J\nb' }), '| a [2J b (1m02s)');
    assert.equal(progressLine({ ...base, text: '漢字漢字', columns: 16 }), '| 漢字 (1m02s)');
  });
});
