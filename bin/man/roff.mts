/** Man pages in man(7): the blocks of docs/, and what commander knows of a command. */
import type { Command } from 'commander';
import { optionGroups } from '../../src/flags/help/layout.ts';
import { explanationOf } from '../../src/flags/command.ts';
import { pathOf } from '../../src/flags/names/unknown-command.ts';
import type { Block, Inline } from './markdown.mts';

/** Text of a line of its own: no macro, whatever it begins with. */
export function textLine(text: string): string {
  return /^[.']/.test(text) ? `\\&${escaped(text)}` : escaped(text);
}

/** In a macro's argument. */
export function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}

/** `-` as a user types it, and nothing that is not ASCII. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll(
      /[^\n -~]/gu,
      (sign) => `\\[u${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0') ?? ''}]`,
    );
}

function inlineText(text: readonly Inline[]): string {
  return text
    .map((inline) => {
      if (inline.kind === 'code' || inline.kind === 'strong') return `\\fB${escaped(inline.text)}\\fP`;
      if (inline.kind === 'link' && /^https?:/.test(inline.to))
        return escaped(`${inline.text} <${inline.to}>`);
      return escaped(inline.text);
    })
    .join('');
}

export function filledText(text: string): readonly string[] {
  return filled(escaped(text));
}

/** Source lines of at most 78 columns, where words allow it. */
function filled(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ').filter((one) => one !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= 78) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(/^[.']/.test(word) ? `\\&${word}` : word);
  }
  return lines;
}

/** @param depth 0: the title of a page is a section of the man page */
export function renderBlocks(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap((block, index) => {
    const isFirst = index === 0 || blocks[index - 1]?.kind === 'heading';
    return blockLines(block, isFirst);
  });
}

function blockLines(block: Block, isFirst: boolean): readonly string[] {
  switch (block.kind) {
    case 'heading': {
      const title = block.text.map(({ text }) => text).join('');
      return block.level === 1 ? [`.SH ${quoted(title.toUpperCase())}`] : [`.SS ${quoted(title)}`];
    }
    case 'paragraph':
      return [...(isFirst ? [] : ['.PP']), ...filled(inlineText(block.text))];
    case 'list':
      return [...block.items.flatMap((item) => ['.IP \\(bu 2', ...filled(inlineText(item))])];
    case 'code':
      return codeLines(block.lines, isFirst);
    case 'table':
      return block.rows.flatMap((row) => tableRow(row, block.head));
  }
}

function codeLines(lines: readonly string[], isFirst: boolean): readonly string[] {
  return [...(isFirst ? [] : ['.PP']), '.in +4n', '.nf', ...lines.map(textLine), '.fi', '.in'];
}

function tableRow(
  row: readonly (readonly Inline[])[],
  head: readonly (readonly Inline[])[],
): readonly string[] {
  const [term = [], ...others] = row;
  const named = others.flatMap((cell, index) => {
    const text = inlineText(cell);
    if (text === '') return [];
    const heading = others.length === 1 ? '' : `${inlineText(head[index + 1] ?? [])}: `;
    return [filled(`${heading}${text}`)];
  });
  const below = named.flatMap((lines, index) => (index === 0 ? lines : ['.br', ...lines]));
  const first = inlineText(term);
  // What .TP takes is one line of the source.
  return first.length <= 78
    ? ['.TP', ...filled(first), ...below]
    : ['.PP', ...filled(first), '.RS', ...below, '.RE'];
}

export function nameSection(name: string, description: string): readonly string[] {
  return ['.SH NAME', `${escaped(name)} \\- ${escaped(description)}`];
}

/** A command with its synopsis, its text and its flags, as `--help` has them. */
export function renderCommand(command: Command): readonly string[] {
  const help = command.createHelp();
  const { examples = [], notes = [] } = explanationOf(command);
  const options = help.visibleOptions(command);
  return [
    `.SS ${quoted(pathOf(command))}`,
    ...filled(`\\fB${escaped(help.commandUsage(command))}\\fP`),
    '.PP',
    ...filledText(command.description()),
    ...command.registeredArguments.flatMap((operand) => [
      '.TP',
      `\\fI${escaped(operand.name())}\\fP`,
      ...filledText(help.argumentDescription(operand)),
    ]),
    ...optionGroups(options).flatMap(([heading, members]) => [
      '.PP',
      escaped(heading),
      ...members.flatMap((option) => [
        '.TP',
        `\\fB${escaped(option.flags)}\\fP`,
        ...filledText(help.optionDescription(option)),
      ]),
    ]),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:', ...codeLines(examples, false)]),
    ...notes.flatMap((note) => ['.PP', ...filledText(note)]),
  ];
}
