/** Timing by what every bash has, where there is no hyperfine. */
import { mean, median } from './median.ts';
import { run } from '../child.ts';
import { quoted, type Timer, type Timing } from './timing.ts';

export const byBash: Timer = (commands, runs) =>
  commands.map((words) =>
    readTimes(
      run([
        'bash',
        '-c',
        `TIMEFORMAT='%3R %3U %3S'
        for ((run = 0; run < ${String(runs)}; run++)); do
          { time ${quoted(words)} >/dev/null 2>&3; } 3>&2 2>&1 || exit
        done`,
      ]),
    ),
  );

/** @param text a line for each run: wall, user and system, in seconds */
export function readTimes(text: string): Timing {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [number, number, number]);
  return {
    wallMs: median(lines.map(([wall]) => wall)) * 1000,
    cpuMs: mean(lines.map(([, user, system]) => user + system)) * 1000,
  };
}
