import { readdirSync, readFileSync } from 'node:fs';

/** A process of this machine. */
export interface Process {
  /** The first word of its command line, without its directories. */
  readonly name: string;
  /** The others. */
  readonly words: readonly string[];
  readonly startedAt: Date;
}

// Linux has had 100 ticks a second towards user space on every architecture that Kubernetes runs on (proc_pid_stat(5)).
const ticksPerSecond = 100;

/** Those that have one of these names. What cannot be read is not there. */
export function readProcesses(names: ReadonlySet<string>): Process[] {
  const bootMs = bootTime();
  if (bootMs === undefined) return [];
  return entries('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .flatMap((pid): Process[] => {
      const [program = '', ...words] = text(`/proc/${pid}/cmdline`)?.replace(/\0$/, '').split('\0') ?? [];
      const name = program.split('/').at(-1) ?? '';
      if (!names.has(name)) return [];
      // What stands in brackets may hold anything; the start is the twenty-second field, and the third is the first behind it.
      const fields = text(`/proc/${pid}/stat`)
        ?.replace(/^.*\) /s, '')
        .split(' ');
      const ticks = Number(fields?.[19]);
      return Number.isFinite(ticks)
        ? [{ name, words, startedAt: new Date(bootMs + (ticks / ticksPerSecond) * 1000) }]
        : [];
    });
}

/** Milliseconds; undefined: it cannot be told. */
function bootTime(): number | undefined {
  const seconds = /^btime (\d+)$/m.exec(text('/proc/stat') ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
