// What render takes out of every line it shows: see render/printable.ts.
const control = /[\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu;

/**
 * A word of a command line in a hint, to be pasted into any POSIX shell. Control and format characters would not reach
 * the terminal: there the shell is told to make them.
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
