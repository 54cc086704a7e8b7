import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';

/** The lines of a table for a person, without colour, none of them wider than the terminal. */
export function tableLines(text: string, width: number): string[] {
  assert.ok(text.endsWith('\n'));
  const lines = stripVTControlCharacters(text).slice(0, -1).split('\n');
  for (const line of lines) assert.ok(stringWidth(line) <= width, `wider than ${String(width)}: ${line}`);
  return lines;
}

/** Each word is one of these, or says with … that its middle is missing. */
export function assertWholeWords(lines: readonly string[], expected: Iterable<string>): void {
  const known = new Set([...expected].flatMap(wordsOf));
  const broken = lines.flatMap(wordsOf).filter((word) => !known.has(word) && !word.includes('…'));
  assert.deepEqual(broken, []);
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
