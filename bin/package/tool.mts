/** The programs that make packages. */
import { spawnSync } from 'node:child_process';

interface ToolOptions {
  /** Seconds since 1970. */
  readonly epoch: number;
  /** A directory of the build's. */
  readonly home: string;
  readonly input?: Buffer;
  readonly cwd?: string;
}

/**
 * What it makes depends on its arguments and the time given: not on the person's locale, time zone or settings (~/.rpmmacros).
 * @returns stdout
 */
export function runTool(
  program: string,
  args: readonly string[],
  { epoch, home, input, cwd = home }: ToolOptions,
): Buffer {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: home,
      TMPDIR: home,
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      SOURCE_DATE_EPOCH: String(epoch),
    },
    maxBuffer: 512 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
  });
  if (error !== undefined)
    throw new Error(`${program}: ${error.message} (Debian: apt-get install dpkg-dev rpm xz-utils)`);
  if (status === 0) return stdout;
  throw new Error(
    `${program} ${args.join(' ')}: ${status === null ? String(signal) : `exit ${String(status)}`}\n${stderr.toString()}`,
  );
}
