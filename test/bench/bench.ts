import { interleaved, type Plan } from './rounds.ts';
import type { Place } from './place.ts';
import type { Programs } from './programs.ts';
import type { Timer, Timing, Words } from './timers/timing.ts';

/** What the groups of figures share. */
export interface Bench {
  readonly programs: Programs;
  readonly memory: Place;
  readonly disk: Place | undefined;
  readonly timer: Timer;
  /** For trying: two rounds of each. */
  readonly quick: boolean;
}

export function time<Name extends string>(
  { timer, quick }: Bench,
  { rounds, runs }: Plan,
  commands: Readonly<Record<Name, Words>>,
): Readonly<Record<Name, Timing>> {
  return interleaved(timer, { rounds: quick ? Math.min(rounds, 2) : rounds, runs }, commands);
}

export function progress(text: string): void {
  console.error(`bench: ${text}`);
}
