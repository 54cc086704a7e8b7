/**
 * Control characters, line and paragraph separators, and format characters, which are not seen and change what is (Unicode's
 * categories Cc, Zl, Zp and Cf): U+202E turns the order of what follows it around, and with U+200B in it a name looks like
 * another one.
 */
const unseen = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/u;
const everyUnseen = new RegExp(unseen, 'gu');
const unseenRuns = new RegExp(`${unseen.source}+`, 'gu');

/** File names and what others wrote may hold characters that would draw on the operator's terminal, or deceive the reader. */
export function printable(text: string): string {
  return text.replace(unseenRuns, ' ');
}

export function hasUnseen(text: string): boolean {
  return unseen.test(text);
}

/** The same text where it is data: each such character but a line break as what `escape` makes of its code point. */
export function escapeUnseen(text: string, escape: (codePoint: number) => string): string {
  return text.replace(everyUnseen, (one) => (one === '\n' ? one : escape(one.codePointAt(0) ?? 0)));
}
