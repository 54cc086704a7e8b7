import { drawRows } from './draw.ts';
import type { Look } from './look.ts';

/** Each line as lines that end between words; of a word that is longer than a line the middle is cut out. */
export function foldedText(text: string, look: Look): string {
  const column = { title: '', cell: (line: string) => line, wraps: true, width: look.width };
  const lines = text.split('\n').filter((line) => line !== '');
  return [...drawRows([column], lines, look)].join('');
}
