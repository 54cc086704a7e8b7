import { Chalk } from 'chalk';
import { elapsedTime } from './times.ts';
import { printable } from './printable.ts';

// They are ASCII: at night people work on consoles without another font.
const frames = ['|', '/', '-', '\\'];

export interface ProgressLine {
  readonly text: string;
  readonly elapsedMs: number;
  /** Counts the drawings: the mark at the start shows that the program is alive. */
  readonly turn: number;
  /** The width of the terminal; 0 or undefined where the terminal does not know it. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

/**
 * `| generating keys: 3 of 10 (4s)`: one row at most, whatever the width. The text is cut before the time is.
 * @returns '' where the width is not known, or has room for nothing
 */
export function progressLine({ text, elapsedMs, turn, columns = 0, colour }: ProgressLine): string {
  // The last column stays empty: some terminals begin a new row as soon as it is written to.
  const room = columns - 1;
  if (room < 1) return '';
  const frame = frames[turn % frames.length] ?? '';
  const time = ` (${elapsedTime(elapsedMs)})`;
  const said = cut(printable(text), room - 2 - time.length);
  const row = cut(`${frame} ${said}${time}`, room);
  return colour ? new Chalk({ level: 1 }).cyan(frame) + row.slice(1) : row;
}

/** A character beyond Latin may take two columns, and is counted as two. */
function cut(text: string, columns: number): string {
  let used = 0;
  let shown = '';
  for (const character of text) {
    used += character < '\u0300' ? 1 : 2;
    if (used > columns) break;
    shown += character;
  }
  return shown;
}
