import { executed, splitWords, understood } from '../support/machine/systemd.ts';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { execWords } from '../../src/render/systemd-units.ts';
import { judge } from '../support/judge.ts';
import fc from '../support/properties.ts';
import { temporaryDirectory } from '../support/tree.ts';

// NUL is in no command line, and systemd takes no noncharacters for UTF-8.
const word = fc
  .oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(...Array.from(`"'\\$%{};\`#-@:+! =~\t\n\r\u0007\u001b\u007fü€𝄞nxuas0A`)),
    }),
  )
  .filter((text) => !/[\0\ufdd0-\ufdef]|[\ufffe\uffff]|\p{Noncharacter_Code_Point}/u.test(text));

const words = fc.array(word, { minLength: 1, maxLength: 60 });

// What is a space to JavaScript, and a letter to systemd.
const spaces = Array.from('\u000b\u000c\u00a0\u1680\u2003\u2028\u3000\ufeff');

test('every word comes out as it went in, by the letter of the documentation', () => {
  fc.assert(
    fc.property(words, (args) => {
      assert.deepEqual(executed(execWords(['/bin/true', ...args])), ['/bin/true', ...args]);
    }),
    { examples: [[spaces]] },
  );
});

test('every word comes out as it went in, by systemd itself', (t) => {
  const systemdAnalyze = judge(t, 'systemd-analyze');
  if (systemdAnalyze === undefined) return;
  const path = join(temporaryDirectory(t), 'words.service');
  // Many command lines in a unit, as systemd-analyze takes longer to start than to read them.
  fc.assert(
    fc.property(fc.array(words, { minLength: 1, maxLength: 20 }), (lists) => {
      const lines = lists.map((args) => `ExecStart=${execWords(['/bin/true', ...args])}\n`);
      writeFileSync(path, `[Service]\nType=oneshot\n${lines.join('')}`);
      const { lines: said, complaints } = understood(systemdAnalyze, [path]);
      assert.equal(complaints, '');
      const got = said
        .filter((line) => line.startsWith('Command Line: '))
        // Variables are left to the moment it is run.
        .map((line) =>
          splitWords(line.slice('Command Line: '.length)).map((one) => one.replaceAll('$$', '$')),
        );
      assert.deepEqual(
        got,
        lists.map((args) => ['/bin/true', ...args]),
      );
    }),
    { numRuns: 12, examples: [[[spaces, ...spaces.map((one) => [one])]]] },
  );
});
