/** A command line for Exec…=, which systemd splits again into exactly these words: systemd.service(5), systemd.syntax(7). */
export function execWords([program = '', ...args]: readonly string[]): string {
  // No variable is looked for in the program's own path.
  const words = [specifiers(program), ...args.map((word) => specifiers(word).replaceAll('$', '$$$$'))];
  return words.map(quoted).join(' ');
}

/** One path for a setting that takes a list of them. See {@link isExpressible}. */
export function pathWord(path: string): string {
  const text = specifiers(path);
  return /\s/.test(text) ? `"${text}"` : text;
}

/** The same for a setting whose value is one path to the end of the line. */
export function wholePath(path: string): string {
  return specifiers(path);
}

/**
 * Whether the settings that take paths can name it: they know no escape sequences, and which quotes they take differs from
 * one to the other and between releases.
 */
export function isExpressible(path: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u001f\u007f"'\\]|\s$/.test(path);
}

function specifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

function quoted(word: string): string {
  // A semicolon alone would begin another command.
  if (/^[\w@$%+=:,./{}-]+$/.test(word)) return word;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const escaped = word.replaceAll(/["\\]/g, '\\$&').replaceAll(/[\u0000-\u001f\u007f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}
