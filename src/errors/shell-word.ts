// What render takes out of every line it shows.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu;

/**
 * A word of a command line in a hint, to be pasted into any POSIX shell. Control characters would not reach the terminal:
 * there the shell is told to make them.
 */
export function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text;
  if (text.search(control) === -1) return quote(text);
  const format = text
    .replaceAll('\\', '\\\\')
    .replaceAll('%', '%%')
    // Else an option of printf.
    .replace(/^-/, octal)
    .replace(control, octal);
  // $(…) drops a newline at the end. With `/.` behind it a directory is the same, and a file is not found, rather than
  // another one taken for it.
  return `"$(printf ${quote(text.endsWith('\n') ? `${format}/.` : format)})"`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function octal(character: string): string {
  return [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}
