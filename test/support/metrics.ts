/** One sample of the text exposition format, its labels unescaped. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line =
  /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>(?:[a-zA-Z_]\w*="(?:\\[\\"n]|[^\\"\n])*",?)*)\})? (?<value>-?\d+)$/;

/** Strictly: a line that is neither a sample nor a comment is an error. */
export function samplesOf(text: string): readonly Sample[] {
  return text
    .split('\n')
    .filter((one) => one !== '' && !one.startsWith('# '))
    .map((one) => {
      const groups = line.exec(one)?.groups;
      if (groups === undefined) throw new Error(`no sample: ${one}`);
      const pairs = [...(groups['labels'] ?? '').matchAll(/(\w+)="((?:\\.|[^\\"])*)"/g)].map(
        ([, name = '', value = '']) => [name, unescape(value)] as const,
      );
      return {
        name: groups['name'] ?? '',
        labels: Object.fromEntries(pairs),
        value: Number(groups['value']),
      };
    });
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_whole, one: string) => (one === 'n' ? '\n' : one));
}
