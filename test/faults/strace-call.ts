/** One line of `strace -y`, taken apart. Strings are what the kernel was given, byte for byte. */
export interface StraceCall {
  readonly name: string;
  /** Of a call on a descriptor. */
  readonly descriptor: { readonly number: number; readonly path: Buffer } | undefined;
  readonly strings: readonly Buffer[];
  /** `O_CREAT` and the like. */
  readonly flags: readonly string[];
  /** The numeric arguments that follow, modes as numbers. */
  readonly numbers: readonly number[];
  readonly result: number;
}

const argument =
  /(?<descriptor>AT_FDCWD|\d+)<(?<path>(?:[^>\\]|\\.)*)>|"(?<string>(?:[^"\\]|\\.)*)"|(?<flag>O_\w+)|(?<number>-?\d+)/gs;

/** @returns undefined for what is no call, or one that did not return: killed in it, nothing was done */
export function parseStrace(line: string): StraceCall | undefined {
  // Greedy: what was written may look like the end of a call, but the end comes last.
  const match = /^(?<name>\w+)\((?<args>.*)\) += (?<result>-?\d+)/s.exec(line);
  if (match?.groups === undefined) return undefined;
  const { name = '', args = '', result = '' } = match.groups;
  const groups = [...args.matchAll(argument)].map((one) => one.groups ?? {});
  const values = (group: string): string[] => groups.flatMap((one) => one[group] ?? []);
  const descriptor = groups.find((one) => /^\d+$/.test(one['descriptor'] ?? ''));
  return {
    name,
    descriptor: descriptor && {
      number: Number(descriptor['descriptor']),
      path: unescape(descriptor['path'] ?? ''),
    },
    strings: values('string').map(unescape),
    flags: values('flag'),
    numbers: values('number').map((text) => parseInt(text, /^0\d/.test(text) ? 8 : 10)),
    result: Number(result),
  };
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

/** As C writes strings: `\n`, `\"`, `\303`, `\x0a`. */
function unescape(text: string): Buffer {
  const bytes = text.replace(/\\(?:([0-7]{1,3})|x([0-9a-f]{2})|(.))/gs, (_, octal, hex, letter: string) => {
    if (typeof octal === 'string') return String.fromCharCode(parseInt(octal, 8));
    if (typeof hex === 'string') return String.fromCharCode(parseInt(hex, 16));
    return escapes[letter] ?? letter;
  });
  return Buffer.from(bytes, 'latin1');
}
