/**
 * Control characters, line and paragraph separators, and format characters (Unicode's categories Cc, Zl, Zp and Cf) are not seen,
 * and change what is: U+202E turns the text behind it around, and U+200B makes a name look like another one.
 */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u;
const everyUnseen = new RegExp(unseen, 'gu');
const unseenRuns = new RegExp(`${unseen.source}+`, 'gu');

/** A file's name, or a stranger's text, may hold characters that would draw on the operator's terminal or deceive the reader. */
export function printable(text: string): string {
  return text.replace(unseenRuns, ' ');
}

export function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line)}\n`).join('');
}

export function hasUnseen(text: string): boolean {
  return unseen.test(text);
}

/** The text as data: `escape` stands in for each such character, but for line breaks. */
export function escapeUnseen(text: string, escape: (codePoint: number) => string): string {
  return text.replace(everyUnseen, (one) => (one === '\n' ? one : escape(one.codePointAt(0) ?? 0)));
}
