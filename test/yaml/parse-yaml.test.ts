import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseYaml } from '../../src/yaml/parse-yaml.ts';
import { temporaryDirectory } from '../support/tree.ts';

const options = { code: 'bad-kubeconfig', schema: 'failsafe' } as const;
const values = (text: string): unknown[] => parseYaml(text, options).map(({ value }) => value);
const times = (length: number, line: (index: number) => string, between = '\n'): string =>
  Array.from({ length }, (_, index) => line(index)).join(between);

describe('YAML', () => {
  test('scalars stay the text they are', () => {
    assert.deepEqual(values('a: 123\nb: 0x10\nc: yes\nd: 1.0\n'), [
      { a: '123', b: '0x10', c: 'yes', d: '1.0' },
    ]);
  });

  test('several documents, aliases, JSON', () => {
    assert.deepEqual(values('a: &x [1]\nb: *x\n---\n{"c": null}\n'), [{ a: ['1'], b: ['1'] }, { c: 'null' }]);
  });

  test('what is wrong is said with its place and without quoting the text', () => {
    for (const text of [
      "a: 'secret",
      'a: secret\n secret: [',
      'secret: *nobody',
      'a: }secret',
      '%secret\n@',
      'a: |9x\nsecret',
    ]) {
      assert.throws(
        () => parseYaml(text, options),
        (error: Error) => {
          assert.match(error.message, /^is not (usable|valid) YAML/);
          assert.ok(!`${error.message} ${String(error.cause)}`.includes('secret'), error.message);
          return true;
        },
        text,
      );
    }
    assert.throws(() => parseYaml('a: 1\nb: 2\na: 3\n', options), {
      message: 'is not valid YAML at line 3, column 1 (duplicate key)',
    });
  });

  test('an alias bomb is refused', () => {
    const bomb = `x0: &x0 [${'a, '.repeat(9)}a]\n${times(9, (i) => `x${String(i + 1)}: &x${String(i + 1)} [${`*x${String(i)}, `.repeat(9)}*x${String(i)}]`)}\n`;
    assert.throws(() => parseYaml(bomb, options), { message: /expands its aliases too often/ });
  });

  // In a process of their own: nesting without a bound does not throw, it ends node itself.
  const size = 256 * 1024;
  const hostile: readonly (readonly [string, string])[] = [
    ['opening brackets', '['.repeat(size)],
    ['opening mappings', '{a: '.repeat(size / 4)],
    ['closing brackets', ']'.repeat(size)],
    ['indentation', times(700, (i) => `${' '.repeat(i)}a:`)],
    ['compact sequences', '- '.repeat(size / 2)],
    ['complex keys', '? '.repeat(size / 2)],
    ['keys', times(20_000, (i) => `key${String(i)}: 1`)],
    ['keys in a flow mapping', `{${times(20_000, (i) => `k${String(i)}: 1`, ',')}}`],
    ['anchors', `${times(9_000, (i) => `- &a${String(i)} x`)}\n${times(9_000, (i) => `- *a${String(i)}`)}`],
    ['documents', '---\n'.repeat(size / 4)],
    ['errors', '- @\n'.repeat(size / 4)],
    ['aliases to nothing', '*a '.repeat(size / 3)],
    ['bad directives', '%a\n'.repeat(size / 3)],
    ['NUL bytes', '\0'.repeat(size)],
    ['more than 256 KiB', 'a'.repeat(size + 1)],
  ];
  for (const [what, text] of hostile) {
    test(`${what} without end: an answer, and soon`, (t) => {
      const directory = temporaryDirectory(t);
      const module = pathToFileURL(join(import.meta.dirname, '../../src/yaml/parse-yaml.ts')).href;
      writeFileSync(join(directory, 'text'), text);
      writeFileSync(
        join(directory, 'run.mjs'),
        `import { readFileSync } from 'node:fs';
         const { parseYaml } = await import(${JSON.stringify(module)});
         const text = readFileSync(${JSON.stringify(join(directory, 'text'))}, 'utf8');
         try { console.log(parseYaml(text, ${JSON.stringify(options)}).length, 'documents'); }
         catch (error) { console.log(error.code); }`,
      );
      const answer = execFileSync(process.execPath, ['--import', 'tsx', join(directory, 'run.mjs')], {
        encoding: 'utf8',
        // A hang, on a machine however slow: unbounded, these take minutes.
        timeout: 30_000,
      });
      assert.match(answer, /^(bad-kubeconfig|[012] documents)\n$/);
    });
  }
});
