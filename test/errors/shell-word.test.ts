import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from '../../src/errors/shell-word.ts';
import fc from '../support/properties.ts';

// Whatever a shell, printf or a terminal may take for more than a character.
const special = [
  ...Array.from('\'"\\%$`!#*?~;&|<>(){}[]-=07 né'),
  ...['\n', '\t', '\u001b', '\u007f', '\u009b', '\u2028', '\u202e', '\u200b', '𝄞'],
];
const words = fc.array(fc.string({ unit: fc.constantFrom(...special), maxLength: 12 }), {
  minLength: 20,
  maxLength: 20,
});

/** What /bin/sh makes of a command line: its words. */
function parsed(line: string): string[] {
  const output = execFileSync('/bin/sh', ['-c', `for word in ${line}; do printf '%s\\0' "$word"; done`], {
    encoding: 'utf8',
  });
  return output.split('\0').slice(0, -1);
}

test('a shell gives back every word, and no control character is shown', () => {
  fc.assert(
    fc.property(words, (texts) => {
      const line = texts.map(shellWord).join(' ');
      assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
      assert.deepEqual(
        parsed(line),
        // A directory, whose newline at the end $(…) would drop.
        texts.map((text) => (text.endsWith('\n') ? `${text}/.` : text)),
      );
    }),
  );
});

test('a plain path stays as it is', () => {
  assert.equal(shellWord('/etc/kubernetes/pki'), '/etc/kubernetes/pki');
  assert.equal(shellWord("/root/my pki's"), `'/root/my pki'\\''s'`);
  assert.equal(shellWord(''), "''");
});
