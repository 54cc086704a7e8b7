import Table from 'cli-table3';

const frame = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
];

export interface FramelessTableOptions {
  /** Between columns. */
  readonly padding: number;
  /** With padding; undefined: as wide as what is in it. */
  readonly colWidths?: readonly number[];
}

/** Rows of cells as lines, without a line drawn anywhere; what stands behind the last cell is left as it comes. */
export function framelessTable(
  rows: readonly (readonly string[])[],
  { padding, colWidths }: FramelessTableOptions,
): string[] {
  const table = new Table({
    chars: Object.fromEntries(frame.map((part) => [part, ''])),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': padding },
    ...(colWidths === undefined ? {} : { colWidths: [...colWidths] }),
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().split('\n');
}
