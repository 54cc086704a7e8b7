import { cellWidth } from './cell-width.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  /** It may be made as narrow as this, and is still of use; undefined: all of it is needed. */
  readonly atLeast?: number;
  /** A cell that is too long goes on in the next line, at a space; else its middle is cut out. */
  readonly wraps?: boolean;
}

/** Columns from left to right. */
export type Layout<Row> = readonly Column<Row>[];

export interface FittedColumn<Row> extends Column<Row> {
  readonly width: number;
}

/** Spaces between columns. */
export const gap = 2;

interface Wish<Row> {
  readonly column: Column<Row>;
  readonly least: number;
  readonly most: number;
}

/**
 * The first layout for which there is room, its columns as wide as they want to be, as far as there is room. Of the last one the
 * widest columns are made narrower until it fits. A column in which no row has anything is left out.
 * @param layouts the widest first; they share their columns
 */
export function fit<Row>(
  layouts: readonly Layout<Row>[],
  rows: Iterable<Row>,
  width: number,
): FittedColumn<Row>[] {
  const longest = new Map(layouts.flat().map((column) => [column, 0]));
  for (const row of rows) {
    for (const [column, known] of longest) longest.set(column, Math.max(known, cellWidth(column.cell(row))));
  }
  const wishes = layouts.map((layout) =>
    layout.flatMap((column): Wish<Row>[] => {
      const content = longest.get(column) ?? 0;
      const title = cellWidth(column.title);
      const most = Math.max(content, title);
      return content === 0
        ? []
        : [{ column, most, least: Math.min(most, Math.max(column.atLeast ?? most, title)) }];
    }),
  );
  const chosen =
    wishes.find((layout) => totalWidth(layout.map(({ least }) => least)) <= width) ?? wishes.at(-1) ?? [];
  const widths = chosen.map(({ least }) => least);
  for (let excess = totalWidth(widths) - width; excess > 0; excess -= 1) {
    const widest = widths.indexOf(Math.max(...widths));
    widths[widest] = Math.max(1, (widths[widest] ?? 1) - 1);
  }
  share(width - totalWidth(widths), chosen, widths);
  return chosen.map(({ column }, index) => ({ ...column, width: widths[index] ?? 1 }));
}

/** Those that want little get it; the others get equal parts of the rest. */
function share<Row>(spare: number, wishes: readonly Wish<Row>[], widths: number[]): void {
  const wanting = wishes
    .map(({ least, most }, index) => ({ index, wanted: most - least }))
    .filter(({ wanted }) => wanted > 0)
    .sort((a, b) => a.wanted - b.wanted);
  let left = Math.max(0, spare);
  for (const [position, { index, wanted }] of wanting.entries()) {
    const given = Math.min(wanted, Math.floor(left / (wanting.length - position)));
    widths[index] = (widths[index] ?? 0) + given;
    left -= given;
  }
}

function totalWidth(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one + gap, -gap);
}
