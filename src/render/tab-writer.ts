import { printable } from './printable.ts';

interface TabWriterOptions {
  /** The least width of a column, its padding included. */
  readonly minimumWidth?: number;
  /** Spaces between columns. */
  readonly padding: number;
}

/**
 * Rows of cells as lines, laid out as by Go's text/tabwriter, which lays out the tables of kubeadm and kubectl. Every cell but a
 * row's last is as wide as the widest of its column; the last one stays as it is. All characters have one width, as for tabwriter.
 */
export function tabWriter(
  rows: readonly (readonly string[])[],
  { minimumWidth = 0, padding }: TabWriterOptions,
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.slice(0, -1).entries()) {
      widths[column] = Math.max(widths[column] ?? minimumWidth, lengthOf(cell) + padding);
    }
  }
  return rows.map((row) => {
    const last = row.length - 1;
    return row
      .map((cell, column) =>
        column === last ? cell : cell + ' '.repeat((widths[column] ?? 0) - lengthOf(cell)),
      )
      .join('');
  });
}

/** Rows laid out as by kubectl (k8s.io/cli-runtime, printers.GetNewTabWriter), without spaces at the ends of lines. */
export function kubectlTable(rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map(printable));
  return tabWriter(cells, { padding: 3 })
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** The length in characters: JavaScript counts two for one beyond the Basic Multilingual Plane. */
function lengthOf(cell: string): number {
  return /[\ud800-\udfff]/.test(cell) ? Array.from(cell).length : cell.length;
}
