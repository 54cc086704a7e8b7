import { median } from './timers/median.ts';
import type { Timer, Timing, Words } from './timers/timing.ts';

export interface Plan {
  /** How often all commands have their turn. */
  readonly rounds: number;
  /** How often each command is run when it is its turn. */
  readonly runs: number;
}

/**
 * The commands of a group in turn, so that whatever else the machine does falls on all of them; then the median over the
 * rounds. A first round, in which files are read from the disk, does not count.
 */
export function interleaved<Name extends string>(
  timer: Timer,
  { rounds, runs }: Plan,
  commands: Readonly<Record<Name, Words>>,
): Readonly<Record<Name, Timing>> {
  const names = Object.keys(commands) as Name[];
  const words = names.map((name) => commands[name]);
  timer(words, 1);
  const all = Array.from({ length: rounds }, () => timer(words, runs));
  const of = (index: number, kind: keyof Timing): number =>
    median(all.flatMap((timings) => timings[index]?.[kind] ?? []));
  return Object.fromEntries(
    names.map((name, index) => [name, { wallMs: of(index, 'wallMs'), cpuMs: of(index, 'cpuMs') }]),
  ) as Record<Name, Timing>;
}
