import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { execWords } from '../../../src/render/systemd/quote.ts';
import { judge } from '../../support/judge.ts';
import { executed, splitWords, understood } from '../../support/systemd.ts';
import { temporaryDirectory } from '../../support/tree.ts';

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

test('every word comes out as it went in, by the letter of the documentation', () => {
  fc.assert(
    fc.property(words, (args) => {
      assert.deepEqual(executed(execWords(['/bin/true', ...args])), ['/bin/true', ...args]);
    }),
  );
});

test('every word comes out as it went in, by systemd itself', (t) => {
  const systemdAnalyze = judge(t, 'systemd-analyze');
  if (systemdAnalyze === undefined) return;
  const path = join(temporaryDirectory(t), 'words.service');
  fc.assert(
    fc.property(words, (args) => {
      writeFileSync(path, `[Service]\nType=oneshot\nExecStart=${execWords(['/bin/true', ...args])}\n`);
      const { lines, complaints } = understood(systemdAnalyze, [path]);
      assert.equal(complaints, '');
      const line = lines.find((one) => one.startsWith('Command Line: '))?.slice('Command Line: '.length);
      // Variables are left to the moment it is run.
      const got = splitWords(line ?? '').map((one) => one.replaceAll('$$', '$'));
      assert.deepEqual(got, ['/bin/true', ...args]);
    }),
    { numRuns: 60 },
  );
});
