import { Chalk } from 'chalk';
import Table from 'cli-table3';
import { cutInMiddle } from './cell-width.ts';
import { gap, type FittedColumn } from './fit.ts';
import type { Look } from './look.ts';

/** What a person sees first: red what is wrong now, yellow what will be soon. */
export type Urgency = 'now' | 'soon' | 'none';

/** cli-table3 compares each cell with all above it; a thousand rows at once take it a minute. */
const rowsAtOnce = 40;

const noFrame = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
  middle: ' '.repeat(gap),
};

/** The titles in bold, a line. */
export function drawTitles<Row>(columns: readonly FittedColumn<Row>[], look: Look): string {
  const { bold } = paintsOf(look);
  return draw(columns, [columns.map((column) => bold(cellOf(column, column.title)))]);
}

/** The rows as lines, in pieces: of many rows not all need be in memory at once. */
export function* drawRows<Row>(
  columns: readonly FittedColumn<Row>[],
  rows: readonly Row[],
  look: Look,
  urgencyOf: (row: Row) => Urgency = () => 'none',
): Generator<string> {
  const paints = paintsOf(look);
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const cells = rows.slice(from, from + rowsAtOnce).map((row) => {
      const paint = paints[urgencyOf(row)];
      return columns.map((column) => paint(cellOf(column, column.cell(row))));
    });
    yield draw(columns, cells);
  }
}

function cellOf<Row>({ width, wraps = false }: FittedColumn<Row>, text: string): string {
  if (!wraps) return cutInMiddle(text, width);
  return text
    .split(' ')
    .map((word) => cutInMiddle(word, width))
    .join(' ');
}

function draw<Row>(columns: readonly FittedColumn<Row>[], cells: readonly string[][]): string {
  const table = new Table({
    chars: noFrame,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: columns.map(({ width }) => width),
    wordWrap: true,
  });
  table.push(...cells);
  return table
    .toString()
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

type Paint = (text: string) => string;

function paintsOf({ colour }: Look): Readonly<Record<Urgency | 'bold', Paint>> {
  const chalk = new Chalk({ level: colour ? 1 : 0 });
  return { now: chalk.red, soon: chalk.yellow, none: (text) => text, bold: chalk.bold };
}
