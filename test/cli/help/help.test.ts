import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import { certificates } from '../../../src/catalog/catalog.ts';
import { formatHelp, optionGroups } from '../../../src/flags/help/layout.ts';
import { otherNames, topicNames } from '../../../src/flags/help/topics.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { pathOf } from '../../../src/flags/names/unknown-command.ts';
import { kubepkiInProcess as kubepki } from '../../support/in-process.ts';

const program = await buildProgram('', []);
const commands = [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)];
const longLines = (text: string): string[] => text.split('\n').filter((line) => line.length > 80);

async function shown(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await kubepki(words);
  assert.deepEqual([stderr, code], ['', 0]);
  return stdout;
}

async function refused(...words: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await kubepki(words);
  assert.deepEqual([stdout, code], ['', 1]);
  return stderr;
}

describe('kubepki help TOPIC', () => {
  test('without a topic it lists them', async () => {
    const [, list = ''] = /^Topics \(kubepki help TOPIC\): (.*?)\n(?:\n|$)/ms.exec(await shown('help')) ?? [];
    assert.deepEqual(
      list.split(/,\s+/).map((name) => name.trim()),
      topicNames,
    );
  });

  test('each is a page, in which only what was printed or typed is wider than a terminal', async () => {
    for (const name of topicNames) {
      const page = await shown('help', name);
      assert.match(page, /^[A-Z]/);
      assert.ok(page.split('\n').length > 15, name);
      // Markdown has become text.
      assert.doesNotMatch(page, /\*\*|\]\(|^#|^```|^\| /m);
      assert.deepEqual(
        // Nor can an address be broken.
        longLines(page).filter((line) => !line.startsWith('    ') && line.trim().includes(' ')),
        [],
        name,
      );
    }
  });

  test('exit-codes has each of them', async () => {
    const page = await shown('help', 'exit-codes');
    for (const code of ['0', '1', '3', '4', '5', '6', '7', '8', '9', '130, 143']) {
      assert.match(page, new RegExp(`^ {2}${code} {2,}\\S`, 'm'));
    }
  });

  test('renew has each certificate', async () => {
    const page = await shown('help', 'renew');
    for (const { name } of certificates) assert.match(page, new RegExp(`^ {2}${name} `, 'm'));
  });

  test('a command of a group leads to its page', async () => {
    for (const [name, topic] of Object.entries(otherNames)) {
      assert.equal(await shown('help', name), await shown('help', topic));
    }
  });

  test('no page has the name of a command, which help shows as well', () => {
    const names = program.commands.map((one) => one.name());
    const taken = [...topicNames, ...Object.keys(otherNames)].filter((name) => names.includes(name));
    assert.deepEqual(taken, []);
  });

  for (const [word, hint] of [
    ['renw', 'did you mean: kubepki help renew'],
    ['exit', 'did you mean: kubepki help exit-codes'],
    ['rolback', 'did you mean: kubepki help undo'],
    ['restrat', 'did you mean: kubepki help restarts'],
    ['foo', 'kubepki --help shows the commands'],
    ['__proto__', 'kubepki --help shows the commands'],
  ] as const) {
    test(`${word}: ${hint}`, async () => {
      assert.equal(await refused('help', word), `error: unknown topic or command "${word}"\nhint: ${hint}\n`);
    });
  }
});

describe('--help', () => {
  for (const command of commands) {
    const path = pathOf(command);
    test(`${path} --help fits 80 columns, with examples first and flags in groups`, async () => {
      const text = await shown(...path.split(' ').slice(1), '--help');
      assert.deepEqual(longLines(text), []);
      const at = (heading: string): number => text.search(new RegExp(`^${heading}:$`, 'm'));
      const examples = at('Examples');
      for (const heading of [
        'Arguments',
        'Options',
        'What',
        'When',
        'After',
        'Signed elsewhere',
        'Where',
        'How',
      ]) {
        assert.ok(at(heading) === -1 || at(heading) > examples, heading);
      }
      const order = [...text.matchAll(/^(What|When|After|Signed elsewhere|Where|How):$/gm)].map(
        ([, name]) => name,
      );
      const known = ['What', 'When', 'After', 'Signed elsewhere', 'Where', 'How'];
      assert.deepEqual(
        order,
        known.filter((name) => order.includes(name)),
      );
    });
  }

  test('on a wide terminal no line is longer than a person reads', () => {
    for (const command of commands) {
      const helper = command.createHelp();
      helper.helpWidth = 200;
      const lines = formatHelp(command, helper).split('\n');
      assert.deepEqual(
        lines.filter((line) => line.length > 100),
        [],
        command.name(),
      );
    }
  });

  test('no flag is in no group', () => {
    const visible = (command: Command): readonly string[] => {
      const options = command.createHelp().visibleOptions(command);
      const others = optionGroups(options).find(([heading]) => heading === 'Others:');
      return (others?.[1] ?? []).map(({ flags }) => `${pathOf(command)} ${flags}`);
    };
    assert.deepEqual(commands.flatMap(visible), []);
  });

  test('that of the program and of its groups fits a screen', async () => {
    for (const words of [[], ['certs'], ['ca'], ['sa'], ['csr']]) {
      assert.ok((await shown(...words, '--help')).split('\n').length <= 26);
    }
  });

  test('that of a command fits fifty lines, but for those with most flags, and has four examples at most', async () => {
    const long: string[] = [];
    for (const command of commands) {
      const text = await shown(...pathOf(command).split(' ').slice(1), '--help');
      if (text.trimEnd().split('\n').length > 50) long.push(command.name());
      const [, examples = ''] = /^Examples:\n(.*?)\n\n/ms.exec(text) ?? [];
      assert.ok([...examples.matchAll(/^ {2}\S/gm)].length <= 4, command.name());
    }
    assert.deepEqual(long.sort(), ['check-expiration', 'generate', 'renew', 'rotate', 'systemd', 'verify']);
  });
});
