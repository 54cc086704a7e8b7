import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { jsonTexts } from '../../src/documents/json-texts.ts';
import fc from '../support/properties.ts';

function found(text: string): unknown[] {
  return [...jsonTexts(text)].map((one) => (one.status === 'json' ? one.value : one.error.message));
}

const early = 'is not JSON: it ends too early';
const deep = 'is not what kubepki prints: it is nested more than 32 deep';

describe('the documents of a text', () => {
  for (const [what, text, expected] of [
    ['one', '{"a":1}\n', [{ a: 1 }]],
    [
      'several, with and without lines between',
      '{"a":1}{"a":2}\r\n\n{"a":3}',
      [{ a: 1 }, { a: 2 }, { a: 3 }],
    ],
    ['a byte order mark', '\uFEFF{"a":1}', [{ a: 1 }]],
    ['braces and quotes in a string', '{"a":"}\\"{"}', [{ a: '}"{' }]],
    ['nothing', ' \n', ['is empty: nothing was printed']],
    ['one that was cut off, and another', '{\n  "a": "b', [early]],
    ['what was cut off costs only itself', '{\n  "a": "b\n{"a":2}\n', [early, { a: 2 }]],
    ['a banner in front', 'Welcome\nto cp-1\n{"a":1}\n', ['is not JSON', { a: 1 }]],
    ['HTML', '<!doctype html><p>{"a":1}</p>', ['is not JSON']],
    ['what only looks like it', '{a: 1}\n{"a":1}', ['is not JSON', { a: 1 }]],
    ['NUL', '\0\0', ['is not JSON']],
    ['a list', '[{"a":1}]', ['is not JSON']],
    ['too deep', '{"a":'.repeat(40) + '1' + '}'.repeat(40), [deep]],
    ['deeper than any stack', '{"a":['.repeat(2_000_000), [deep]],
  ] as const) {
    test(what, () => {
      assert.deepEqual(found(text), expected);
    });
  }

  test('are all found again, whatever is in them and between them', () => {
    const document = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(document, { minLength: 1, maxLength: 5 }), fc.nat(4), (documents, indent) => {
        const text = documents.map((one) => JSON.stringify(one, undefined, indent)).join('\n');
        assert.deepEqual(
          found(text),
          documents.map((one) => JSON.parse(JSON.stringify(one)) as object),
        );
      }),
    );
  });

  test('no text is beyond it', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', '"', '\\', '\n', '\n{', '{"a":1}', 'x', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
        assert.ok(found(pieces.join('')).length <= pieces.length + 1);
      }),
    );
  });
});
