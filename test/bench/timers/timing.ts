/** A program and its arguments. */
export type Words = readonly [string, ...string[]];

/** What a few runs of a command took. */
export interface Timing {
  /** From start to end: the median, as one run that had to wait says nothing. */
  readonly wallMs: number;
  /** User and system: the mean, as the kernel's own accounting is too coarse for one run. */
  readonly cpuMs: number;
}

/**
 * Runs each command so many times, one command after the other.
 * @returns in the order of the commands
 * @throws Error when one of them fails
 */
export type Timer = (commands: readonly Words[], runs: number) => readonly Timing[];

/** For a shell, and for what splits words as a shell does. */
export function quoted(words: Words): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}
