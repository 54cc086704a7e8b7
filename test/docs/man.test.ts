/** The man pages and the pages of `kubepki help` are what the flags and docs/ say now, and mandoc has nothing to say of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseMarkdown } from '../../bin/man/markdown.mts';
import { renderHelpPages, renderManPages } from '../../bin/man/pages.mts';
import { pageOf, topicNames } from '../../src/flags/help/topics.ts';
import { buildProgram } from '../../src/cli/program.ts';
import { judge } from '../support/judge.ts';
import { pages } from './pages.ts';

const directory = new URL('../../docs/man/', import.meta.url);
const files = readdirSync(directory).sort();
const read = (file: string): string => readFileSync(new URL(file, directory), 'utf8');

test('the man pages are up to date: npm run man', async () => {
  const date = (file: string): string => /^\.TH \S+ 8 "(\d{4}-\d\d-\d\d)" /m.exec(read(file))?.[1] ?? '';
  const rendered = await renderManPages(date);
  assert.deepEqual([...rendered.keys()].sort(), files);
  for (const [file, text] of rendered) assert.equal(read(file), text, file);
});

test('the pages of kubepki help are up to date: npm run man', () => {
  const committed = readFileSync(new URL('../../src/commands/help/pages.json', import.meta.url), 'utf8');
  assert.equal(committed, renderHelpPages());
});

test('every page of docs/ is a topic, but for those that only a checkout needs', () => {
  const names = pages()
    .slice(1)
    .map(({ path }) => path.replace(/^docs\/(.*)\.md$/, '$1'));
  const others = names.filter((name) => !topicNames.some((topic) => pageOf(topic) === name));
  assert.deepEqual(others.sort(), ['ansible', 'install', 'performance']);
});

test('every command, and every flag that --help shows, is in a man page', async () => {
  const program = await buildProgram('', []);
  const all = files.map(read).join('\n').replaceAll('\\-', '-');
  for (const group of [program, ...program.commands]) {
    for (const command of group.commands.filter(({ commands }) => commands.length === 0)) {
      const path = [...(group === program ? [] : [group.name()]), command.name()].join(' ');
      const from = all.indexOf(`.SS "kubepki ${path}"`);
      assert.notEqual(from, -1, path);
      const section = all.slice(from, all.indexOf('\n.S', from + 1));
      for (const { flags } of command.createHelp().visibleOptions(command)) {
        assert.ok(section.includes(`\\fB${flags}\\fP`), `${path} ${flags}`);
      }
    }
  }
});

for (const file of files) {
  test(`${file}, judged by mandoc`, (t) => {
    const mandoc = judge(t, 'mandoc');
    if (mandoc === undefined) return;
    const { stdout, stderr, status } = spawnSync(
      mandoc,
      ['-T', 'lint', '-W', 'style', fileURLToPath(new URL(file, directory))],
      {
        encoding: 'utf8',
      },
    );
    assert.deepEqual([stdout, stderr, status], ['', '', 0]);
  });
}

describe('what the pages cannot say is an error', () => {
  for (const [what, text] of [
    ['a heading of a third level', '### deep'],
    ['a numbered list', '1. one'],
    ['a code block without an end', '```console\n$ true'],
    ['a backtick alone', 'a `b'],
  ] as const) {
    test(what, () => {
      assert.throws(() => parseMarkdown(text));
    });
  }
});
