import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attributesOf, distinguishedName } from '../../../src/pki/der/name.ts';

const name = distinguishedName(['system:nodes'], 'system:node:node-1');

/** The same bytes as another type. */
function typed(tag: number): Buffer {
  const changed = Buffer.from(name);
  const at = changed.indexOf('system:node:node-1');
  changed.writeUInt8(tag, at - 2);
  return changed;
}

test('a subject is the same in whatever string type, as for Go', () => {
  const wanted = ['CN=system:node:node-1', 'O=system:nodes'];
  assert.deepEqual(attributesOf(name), wanted);
  // UTF8String, NumericString, PrintableString, T61String, IA5String.
  for (const tag of [12, 18, 19, 20, 22]) assert.deepEqual(attributesOf(typed(tag)), wanted, String(tag));
});

test('what is no string, which Go reads as an empty name, equals no name', () => {
  const content = Buffer.from('system:node:node-1').toString('hex');
  // INTEGER, OCTET STRING, VisibleString, and a UTF8String that is context-specific.
  for (const tag of [2, 4, 26, 0x8c]) {
    const [commonName] = attributesOf(typed(tag));
    assert.equal(commonName, `CN=#${tag.toString(16).padStart(2, '0')}12${content}`);
  }
  // Nor can a text be written that equals it.
  assert.deepEqual(attributesOf(distinguishedName([], '#0400')), [String.raw`CN=\#0400`]);
  assert.deepEqual(attributesOf(distinguishedName([], String.raw`\#0400`)), [String.raw`CN=\\#0400`]);
});
