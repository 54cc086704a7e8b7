/** The flags of a component's command line: the last of each counts. */
export interface Flags {
  /** @throws Error where it is not given */
  need(name: string): string;
  get(name: string): string | undefined;
}

export function flagsOf(words: readonly string[]): Flags {
  const given = new Map(
    words.map((word) => {
      const [, name = '', value = 'true'] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
      return [name, value] as const;
    }),
  );
  return {
    get: (name) => given.get(name),
    need: (name) => {
      const value = given.get(name);
      if (value === undefined) throw new Error(`--${name} is missing`);
      return value;
    },
  };
}
