/** The part of Markdown that docs/ is written in. Anything else is an error, so that nothing is shown wrongly. */

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly text: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly text: readonly Inline[] }
  | { readonly kind: 'list'; readonly items: readonly (readonly Inline[])[] }
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    };

export type Inline =
  | { readonly kind: 'text' | 'code' | 'strong'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly to: string };

/** @throws Error for what it does not know */
export function parseMarkdown(source: string): readonly Block[] {
  const blocks: Block[] = [];
  const lines = source.split('\n');
  let at = 0;
  const takeWhile = (matches: (line: string) => boolean): readonly string[] => {
    const from = at;
    while (at < lines.length && matches(lines[at] ?? '')) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line === '' || line.startsWith('<!--')) {
      at += 1;
    } else if (line.startsWith('```')) {
      at += 1;
      blocks.push({ kind: 'code', lines: takeWhile((one) => one !== '```') });
      if (at === lines.length) throw new Error('a code block has no end');
      at += 1;
    } else if (line.startsWith('#')) {
      const [, marks = '', text = ''] = /^(#{1,2}) (.+)$/.exec(line) ?? [];
      if (text === '') throw new Error(`a heading of another kind: ${line}`);
      blocks.push({ kind: 'heading', level: marks.length, text: parseInlines(text) });
      at += 1;
    } else if (line.startsWith('| ')) {
      const [head = [], , ...rows] = takeWhile((one) => one.startsWith('|')).map(cellsOf);
      blocks.push({ kind: 'table', head, rows });
    } else if (line.startsWith('- ')) {
      const text = takeWhile((one) => /^(?:- | {2}\S)/.test(one)).join('\n');
      const items = text.split(/^- /m).slice(1);
      blocks.push({ kind: 'list', items: items.map((item) => parseInlines(joined(item))) });
    } else if (/^\d+\. /.test(line)) {
      throw new Error(`a numbered list: ${line}`);
    } else {
      const text = takeWhile((one) => one !== '' && !/^(?:```|#|\| |- )/.test(one)).join('\n');
      blocks.push({ kind: 'paragraph', text: parseInlines(joined(text)) });
    }
  }
  return blocks;
}

function joined(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ');
}

function cellsOf(line: string): readonly (readonly Inline[])[] {
  return line
    .replace(/^\| ?/, '')
    .replace(/ ?\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => parseInlines(cell.trim().replaceAll('\\|', '|')));
}

export function parseInlines(text: string): readonly Inline[] {
  const inlines: Inline[] = [];
  let rest = text;
  while (rest !== '') {
    const code = /^`([^`]+)`/.exec(rest);
    const strong = /^\*\*([^*]+)\*\*/.exec(rest);
    const link = /^\[([^\]]+)\]\(([^)]+)\)/.exec(rest);
    const plain = /^(?:(?!\*\*|\[[^\]]+\]\()[^`])+/.exec(rest);
    const found = code ?? strong ?? link ?? plain;
    if (found === null) throw new Error(`this cannot be read: ${rest.slice(0, 60)}`);
    const [all, inner = ''] = found;
    if (code !== null) inlines.push({ kind: 'code', text: inner });
    else if (strong !== null) inlines.push({ kind: 'strong', text: inner.replaceAll('`', '') });
    else if (link !== null)
      inlines.push({ kind: 'link', text: inner.replaceAll('`', ''), to: link[2] ?? '' });
    else inlines.push({ kind: 'text', text: all });
    rest = rest.slice(all.length);
  }
  return inlines;
}
