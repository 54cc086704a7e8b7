/**
 * The values of a flag, in the order given. Go's flags: `--flag=value` or `--flag value`, and to etcd one dash is as
 * good as two.
 */
export function flagValues(words: readonly string[], flag: string): string[] {
  return words.flatMap((word, index) => {
    const [, name, value] = /^--?([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const given = name === flag ? (value ?? words[index + 1]) : undefined;
    return given === undefined ? [] : [given];
  });
}

/** Go's flags: of several, the last one counts. */
export function lastFlagValue(words: readonly string[], flag: string): string | undefined {
  return flagValues(words, flag).at(-1);
}
