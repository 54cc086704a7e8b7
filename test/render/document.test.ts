import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { renderDocument } from '../../src/render/document.ts';

describe('a document of our own', () => {
  test('text stays text in yaml, whatever it looks like, to readers of either version', () => {
    const texts = [
      '0123',
      '12E5',
      '1E400',
      '777',
      '0',
      'NULL',
      'NO',
      'true',
      '2027-11-01T00:00:00Z',
      '1_000',
      'a: b',
    ];
    // Of paths: a line of its own, another kind of line end, what YAML cannot say plainly.
    const paths = ['/a b', '/a\nb', '/a\u0085b', '/a\u2028b', '/#a', "/it's", '/"'];
    const fields = { texts, paths, none: null, empty: [] };
    const document = { kind: 'Sample', apiVersion: 'kubepki/v1', ...fields };
    assert.deepEqual(JSON.parse(renderDocument('Sample', fields, 'json')), document);
    const yaml = renderDocument('Sample', fields, 'yaml');
    for (const version of ['1.1', '1.2'] as const) assert.deepEqual(parse(yaml, { version }), document);
  });

  test('what is not seen is escaped, and read as what they are', () => {
    const hidden = ['a\u202eb', '\u200b', '\ufeffx', 'x\u2028', '\u{e0041}', '\u2066"\\', 'plain', '0123'];
    const texts = ['\u001b[2J', 'a\u009b2J', '\u007f', '\u0085', 'a: \u009f', ...hidden];
    const document = { kind: 'Sample', apiVersion: 'kubepki/v1', texts };
    for (const format of ['json', 'yaml'] as const) {
      const text = renderDocument('Sample', { texts }, format);
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      assert.deepEqual(parse(text, { version: '1.1' }), document);
    }
    assert.deepEqual(JSON.parse(renderDocument('Sample', { texts }, 'json')), document);
  });
});
