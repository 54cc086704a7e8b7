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

  test('merge keys as Go reads them: a later key wins, of a list the first map; quoted it is a key like any other', () => {
    const maps = 'x: &x {a: x, b: x}\ny: &y {b: y, c: y}\n';
    const merged = (map: string): unknown => (values(`${maps}m: ${map}\n`)[0] as { m: unknown }).m;
    assert.deepEqual(merged('{<<: [*x, *y], d: d}'), { a: 'x', b: 'x', c: 'y', d: 'd' });
    assert.deepEqual(merged('{<<: *x, a: own}'), { a: 'own', b: 'x' });
    assert.deepEqual(merged('{a: own, <<: *x}'), { a: 'x', b: 'x' });
    assert.deepEqual(merged('{<<: *x, <<: *y}'), { a: 'x', b: 'y', c: 'y' });
    assert.deepEqual(merged('{"<<": *x}'), { '<<': { a: 'x', b: 'x' } });
    assert.throws(() => merged('{<<: text}'), { code: 'bad-kubeconfig' });
  });

  test('an alias means the last anchor of its name before it', () => {
    assert.deepEqual(values('- &a 1\n- *a\n- &a 2\n- *a\n'), [['1', '1', '2', '2']]);
  });

  test('an anchor that contains itself, or that is not there, is refused', () => {
    for (const text of ['&a [*a]', '&a {<<: *a}', 'x: &a {y: {z: *a}}']) {
      assert.throws(() => parseYaml(text, options), {
        code: 'bad-kubeconfig',
        message: 'is not usable YAML: an anchor contains itself',
      });
    }
    assert.throws(() => parseYaml('a: *b\nb: &b 1', options), {
      message: 'is not usable YAML: an alias has no anchor',
    });
  });

  test('__proto__ is a key like any other', () => {
    const [value] = values('__proto__: {a: 1}\n<<: {__proto__: x}\n');
    assert.deepEqual(Object.entries(value as object), [['__proto__', 'x']]);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  test('what is deep but sane is read', () => {
    const depth = 40;
    assert.equal(
      JSON.stringify(values('['.repeat(depth) + ']'.repeat(depth))[0]),
      '['.repeat(depth) + ']'.repeat(depth),
    );
    assert.equal(values(`${times(depth, (i) => `${'  '.repeat(i)}a:`)} x\n`).length, 1);
    assert.equal(values(`a: "${'[{'.repeat(500)}"  # ${'['.repeat(500)}\n`).length, 1);
  });

  test('what is deeper is refused before anything recurses into it, whatever hides the depth', () => {
    for (const level of ['[', '{a: ', '["]",', '["]",- ', '[ #]\n', "{'}': ", '- ', '? ', 'a: ']) {
      assert.throws(
        () => parseYaml(level.repeat(110), options),
        { message: 'is not usable YAML: it is nested too deeply' },
        level,
      );
    }
  });

  // In a process of their own: nesting without a bound does not throw, it ends node itself.
  const size = 256 * 1024;
  const hostile: readonly (readonly [string, string])[] = [
    ['opening brackets', '['.repeat(size)],
    ['opening mappings', '{a: '.repeat(size / 4)],
    ['closing brackets', ']'.repeat(size)],
    ['indentation', times(700, (i) => `${' '.repeat(i)}a:`)],
    ['brackets that close in quotes alone', '["]",'.repeat(size / 5)],
    ['the same between sequences, at which node once ended', '["]",- '.repeat(size / 7)],
    ['brackets that close in comments alone', '[ #]\n'.repeat(size / 5)],
    ['mappings on one line', 'a: '.repeat(size / 3)],
    ['compact sequences', '- '.repeat(size / 2)],
    ['complex keys', '? '.repeat(size / 2)],
    ['keys', times(20_000, (i) => `key${String(i)}: 1`)],
    ['keys in a flow mapping', `{${times(20_000, (i) => `k${String(i)}: 1`, ',')}}`],
    ['anchors', `${times(9_000, (i) => `- &a${String(i)} x`)}\n${times(9_000, (i) => `- *a${String(i)}`)}`],
    [
      'a list of aliases, twice',
      `${times(7_000, (i) => `- &a${String(i)} x`)}\n- &all [${times(7_000, (i) => `*a${String(i)}`, ', ')}]\n- *all`,
    ],
    [
      'merges',
      `x0: &x0 {a: b}\n${times(6_000, (i) => `x${String(i + 1)}: &x${String(i + 1)} {<<: *x${String(i)}, k${String(i)}: v}`)}`,
    ],
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
        // Each takes a second or less; unbounded, half a minute or many.
        timeout: 15_000,
      });
      assert.match(answer, /^(bad-kubeconfig|[012] documents)\n$/);
    });
  }
});
