import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { tabWriter } from '../../src/render/tab-writer.ts';

suite('tabWriter', () => {
  test('a column is as wide as its widest cell, with padding, and not narrower than is said', () => {
    const rows = [
      ['NAME', 'AGE', 'WHAT'],
      ['a', '1', 'x  '],
      ['a-long-name', '22', ''],
    ];
    assert.deepEqual(tabWriter(rows, { minimumWidth: 10, padding: 3 }), [
      'NAME          AGE       WHAT',
      'a             1         x  ',
      'a-long-name   22        ',
    ]);
    assert.deepEqual(tabWriter(rows, { padding: 1 }), [
      'NAME        AGE WHAT',
      'a           1   x  ',
      'a-long-name 22  ',
    ]);
  });

  test('a character counts once, whatever it is made of', () => {
    const rows = [
      ['ä', '|'],
      ['\u{1F511}', '|'],
      ['xx', '|'],
    ];
    assert.deepEqual(tabWriter(rows, { padding: 1 }), ['ä  |', '\u{1F511}  |', 'xx |']);
  });
});
