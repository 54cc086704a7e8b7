import { spawnSync } from 'node:child_process';

/**
 * The words of a command line as systemd splits and unescapes it: systemd.syntax(7), "Quoting", and the table of C-style
 * escapes there. Specifiers and variables are left as they are.
 */
export function splitWords(line: string): string[] {
  const escapes: Readonly<Record<string, string>> = {
    ...{ a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', s: ' ' },
    ...{ '\\': '\\', '"': '"', "'": "'", $: '$', '`': '`' },
  };
  const words: string[] = [];
  // Not \s, which is every space of Unicode: systemd's WHITESPACE is these four.
  const pattern =
    /[ \t\n\r]+|"((?:[^"\\]|\\x[0-9a-fA-F]{2}|\\[0-7]{3}|\\u[0-9a-fA-F]{4}|\\[^xu0-7])*)"(?=[ \t\n\r]|$)|([^ \t\n\r"'\\]+)(?=[ \t\n\r]|$)/sy;
  while (pattern.lastIndex < line.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(line);
    if (match === null) throw new Error(`not a command line from here: ${line.slice(at)}`);
    const [, inQuotes, plain] = match;
    if (plain !== undefined) words.push(plain);
    if (inQuotes === undefined) continue;
    words.push(
      inQuotes.replaceAll(
        /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{3})|(.))/gs,
        (whole: string, byte?: string, unicode?: string, octal?: string, letter?: string) => {
          if (letter !== undefined) return escapes[letter] ?? `not an escape: ${whole}`;
          return String.fromCharCode(
            octal === undefined ? parseInt(byte ?? unicode ?? '', 16) : parseInt(octal, 8),
          );
        },
      ),
    );
  }
  return words;
}

/** What is run in the end: systemd.service(5), "Command lines", and the specifier %% of systemd.unit(5). */
export function executed(line: string): string[] {
  const [program = '', ...args] = splitWords(line.replaceAll('%%', '%'));
  return [program, ...args.map((word) => word.replaceAll('$$', '$'))];
}

/** What systemd itself has understood of units, line by line, and what it had to say of them. */
export function understood(
  systemdAnalyze: string,
  paths: readonly string[],
): { readonly lines: readonly string[]; readonly complaints: string; readonly code: number | null } {
  const verify = (level: string): ReturnType<typeof spawnSync> =>
    spawnSync(systemdAnalyze, ['verify', ...paths], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_LOG_LEVEL: level },
    });
  const { stdout, stderr, status } = verify('info');
  const dump = verify('debug');
  return {
    // Indented; not trim(), which would take a word's own spaces with it.
    lines: `${String(dump.stdout)}${String(dump.stderr)}`
      .split('\n')
      .map((line) => line.replace(/^[ \t]+/, '')),
    complaints: `${String(stdout)}${String(stderr)}`,
    code: status,
  };
}
