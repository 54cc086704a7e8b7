/** A page of docs/ as text for a terminal of 80 columns: what `kubepki help TOPIC` prints. */
import { pageOf, topicNames } from '../../src/flags/help/topics.ts';
import type { Block, Inline } from './markdown.mts';

const width = 78;

/** @param path of the page itself, `renew.md` */
export function renderText(blocks: readonly Block[], path: string): readonly string[] {
  return blocks.flatMap((block, index) => [...(index === 0 ? [] : ['']), ...linesOf(block, path)]);
}

function linesOf(block: Block, path: string): readonly string[] {
  const plain = (text: readonly Inline[]): string => plainText(text, path);
  switch (block.kind) {
    case 'heading':
      return block.level === 1 ? [plain(block.text).toUpperCase()] : [plain(block.text).replace(/^./, upper)];
    case 'paragraph':
      return wrap(plain(block.text), '');
    case 'list':
      return block.items.flatMap((item) => hanging('- ', plain(item), '  '));
    case 'code':
      return block.lines.map((line) => (line === '' ? '' : `    ${line}`));
    case 'table':
      return tableLines(
        block.rows.map((row) => row.map(plain)),
        block.head.map(plain),
      );
  }
}

/** Two columns of which the first is narrow stay side by side; else each row is its first cell, and below it the others. */
function tableLines(rows: readonly (readonly string[])[], head: readonly string[]): readonly string[] {
  const widest = Math.max(...rows.map(([term = '']) => term.length));
  if (head.length === 2 && widest <= 24) {
    const indent = ' '.repeat(widest + 4);
    return rows.flatMap(([term = '', text = '']) => hanging(`  ${term.padEnd(widest)}  `, text, indent));
  }
  return rows.flatMap(([term = '', ...others], index) => [
    ...(index === 0 ? [] : ['']),
    ...(term === '' ? [] : wrap(term, '  ')),
    ...others
      .map((cell, column) => ({ name: head[column + 1] ?? '', cell }))
      .filter(({ cell }) => cell !== '')
      .flatMap(({ name, cell }) => wrap(others.length === 1 ? cell : `${name}: ${cell}`, '      ')),
  ]);
}

export function plainText(text: readonly Inline[], path: string): string {
  return text.map((inline) => plainInline(inline, path)).join('');
}

function plainInline(inline: Inline, path: string): string {
  if (inline.kind !== 'link') return inline.text;
  if (/^https?:/.test(inline.to)) return `${inline.text} <${inline.to}>`;
  const [file = ''] = inline.to.split('#');
  const topic = topicNames.find((name) => file === `${pageOf(name)}.md`);
  if (topic === undefined || file === path) return inline.text;
  return `${inline.text} (kubepki help ${topic})`;
}

function wrap(text: string, indent: string): readonly string[] {
  return hanging(indent, text, indent);
}

function hanging(first: string, text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && `${line} ${word}`.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

function upper(letter: string): string {
  return letter.toUpperCase();
}
