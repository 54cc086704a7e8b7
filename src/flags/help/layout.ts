import type { Command, Help, Option } from 'commander';
import { explanationOf } from '../command.ts';
import { flags, groups } from '../table.ts';

/** A term that is longer has its description on the next line. */
const longestTerm = 27;

/** On a wide terminal too, a line ends where it can still be read. */
const longestLine = 100;

interface Item {
  readonly term: string;
  readonly description: string;
}

/** In place of commander's: examples first, flags in groups, and no line wider than the terminal. */
export function formatHelp(command: Command, helper: Help): string {
  const width = Math.min(helper.helpWidth ?? 80, longestLine);
  helper.helpWidth = width;
  const options = helper.visibleOptions(command);
  const commands = helper.visibleCommands(command);
  const operands = command.registeredArguments.filter(({ description }) => description !== '');
  const item = (option: Option): Item => ({
    term: helper.optionTerm(option),
    description: helper.optionDescription(option),
  });
  const sections: readonly (readonly [string, readonly Item[]])[] = [
    [
      'Arguments:',
      operands.map((operand) => ({ term: operand.name(), description: helper.argumentDescription(operand) })),
    ],
    ...(commands.length > 0
      ? [['Options:', options.map(item)] as const]
      : optionGroups(options).map(([heading, members]) => [heading, members.map(item)] as const)),
    [
      'Commands:',
      commands.map((one) => ({ term: one.name(), description: helper.subcommandDescription(one) })),
    ],
  ];
  const terms = sections.flatMap(([, items]) => items.map(({ term }) => term.length));
  const termWidth = Math.max(...terms.filter((length) => length <= longestTerm));
  const { examples = [], notes = [], pages = [] } = explanationOf(command);
  const more = pages.length === 0 ? [] : [`More (kubepki help TOPIC): ${pages.join(', ')}`];
  return [
    [`Usage: ${helper.commandUsage(command)}`],
    [helper.boxWrap(helper.commandDescription(command), width)],
    section(
      'Examples:',
      examples.map((line) => `  ${inLines(line, width - 2)}`),
    ),
    ...sections.map(([heading, items]) =>
      section(
        heading,
        items.map((one) => lineOf(one, termWidth, helper)),
      ),
    ),
    ...[...notes, ...more].map((note) => [helper.boxWrap(note, width)]),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
    .trimEnd()
    .concat('\n');
}

/** By what they are about, without groups that have none; what is in no group comes last. */
export function optionGroups(options: readonly Option[]): readonly (readonly [string, readonly Option[]])[] {
  const rows = Object.entries(flags).map(([name, { group }]) => ({ name, group }));
  // commander's own.
  const all = [...rows, ...['version', 'help'].map((name) => ({ name, group: 'How' }))];
  const known = groups.map((heading) => {
    const members = all
      .filter(({ group }) => group === heading)
      .flatMap(({ name }) => options.filter((option) => option.attributeName() === name));
    return [`${heading}:`, members] as const;
  });
  const rest = options.filter((option) => !known.some(([, members]) => members.includes(option)));
  return [...known, ['Others:', rest] as const].filter(([, members]) => members.length > 0);
}

function section(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [heading, ...lines];
}

function lineOf({ term, description }: Item, termWidth: number, helper: Help): string {
  if (term.length <= termWidth) return helper.formatItem(term, termWidth, description, helper);
  return `  ${term}\n${helper.formatItem('', termWidth, description, helper)}`;
}

/** A command line that is too long goes on behind a backslash, as a shell reads it. */
function inLines(line: string, width: number): string {
  const lines: string[] = [];
  for (const part of line.split(/ (?=--?[a-z])/)) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${part} \\`.length <= width)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(last === undefined ? part : `    ${part}`);
  }
  return lines.join(' \\\n  ');
}
