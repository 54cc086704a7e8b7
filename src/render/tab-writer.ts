interface TabWriterOptions {
  /** The least width of a column, its padding included. */
  readonly minimumWidth?: number;
  /** Spaces between columns. */
  readonly padding: number;
}

/**
 * Rows of cells as lines, laid out as by Go's text/tabwriter, of which the tables of kubeadm and kubectl are. Every cell
 * but a row's last is as wide as the widest of its column; what stands in a row's last is left as it comes.
 *
 * A character is as wide as another (tabwriter counts them, and no more).
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

/** The length in characters: JavaScript counts two for one beyond the Basic Multilingual Plane. */
function lengthOf(cell: string): number {
  return /[\ud800-\udfff]/.test(cell) ? Array.from(cell).length : cell.length;
}
