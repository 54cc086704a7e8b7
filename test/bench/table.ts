/** The figures as Markdown, and their place in docs/performance.md. */
import type { Figure, Figures } from './figure.ts';

const begin = '<!-- figures -->';
const end = '<!-- /figures -->';

/** @returns with the marks around it, and without a last line break */
export function renderTable({ cores, with: versions, figures }: Figures): string {
  const tools = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    begin,
    '| figure | measured | against | ratio | limit |',
    '| --- | --- | --- | --- | --- |',
    ...figures.map((figure) => `| ${cells(figure).join(' | ')} |`),
    '',
    `${String(cores)} ${cores === 1 ? 'core' : 'cores'}; ${tools.join(', ')}.`,
    end,
  ].join('\n');
}

/**
 * Puts the table where the old one was.
 * @throws Error for a text without the marks
 */
export function withTable(text: string, table: string): string {
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`there is no place for the table: ${begin} … ${end}`);
  return text.slice(0, from) + table + text.slice(to + end.length);
}

function cells({ name, unit, values, ratio, limit }: Figure): readonly string[] {
  const [measured, against = ''] = values.map(({ of, value }) =>
    value === null ? `${of}: not measured` : `${of}: ${String(value)} ${unit}`,
  );
  const judged = values.length === 2 ? ratio : values[0].value;
  const missed = limit !== null && judged !== null && judged > limit;
  const bound = limit === null ? '' : `${String(limit)}${values.length === 2 ? '' : ` ${unit}`}`;
  return [name, measured ?? '', against, ratio?.toFixed(2) ?? '', missed ? `${bound}, **missed**` : bound];
}
