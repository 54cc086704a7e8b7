import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kubepkiCommand } from '../support/kubepki.ts';

/** The system calls that change a file system, as node makes them. */
const changing = [
  'openat',
  'write',
  'pwrite64',
  'ftruncate',
  'fsync',
  'fdatasync',
  'rename',
  'link',
  'symlink',
  'unlink',
  'mkdir',
  'rmdir',
  'chmod',
  'fchmod',
  'chown',
  'fchown',
];

/** One call of a run: the `when`th of its name on the main thread, on a path of the tree. */
export interface FaultPoint {
  readonly call: string;
  readonly when: number;
  /** As strace wrote it, for messages. */
  readonly line: string;
}

export interface TracedRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** strace's lines. */
  readonly log: readonly string[];
}

/**
 * Runs the real command under strace. Only the main thread is traced: it makes every call of a commit, and the counts of
 * strace's `when=` are per thread.
 * @param options.dataLimit how many bytes of what is written the log shows
 * @param options.program what is run instead of the command
 */
export async function traced(
  strace: string,
  args: readonly string[],
  scratch: string,
  injections: readonly string[] = [],
  {
    dataLimit = 4096,
    program = kubepkiCommand,
  }: { readonly dataLimit?: number; readonly program?: readonly string[] | undefined } = {},
): Promise<TracedRun> {
  const log = join(scratch, `strace-${process.pid.toString()}-${String((runs += 1))}`);
  const expressions = [
    `trace=${changing.join(',')}`,
    ...injections.map((injection) => `inject=${injection}`),
  ];
  const child = spawn(
    strace,
    [
      '-y',
      '-s',
      String(dataLimit),
      '-o',
      log,
      ...expressions.flatMap((expression) => ['-e', expression]),
      ...program,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] } },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => {
      resolve(end);
    });
  });
  return { code, signal, stdout, stderr, log: readFileSync(log, 'latin1').split('\n').slice(0, -1) };
}

let runs = 0;

/** Every call of a traced run that changes something below a directory, in the order of the run. */
export function faultPoints(log: readonly string[], directory: string): FaultPoint[] {
  const counts = new Map<string, number>();
  return log.flatMap((line) => {
    const call = /^(\w+)\(/.exec(line)?.[1];
    if (call === undefined) return [];
    const when = (counts.get(call) ?? 0) + 1;
    counts.set(call, when);
    return isChange(call, line, directory) ? [{ call, when, line }] : [];
  });
}

function isChange(call: string, line: string, directory: string): boolean {
  // What is written may name the directory too: `generate` prints where it works.
  const where = call.includes('write') ? /^\w+\(\d+<[^>]*>/.exec(line)?.[0] : line;
  // As long as a manifest is away, the journal of its restart must be read as surely as it was written.
  const isFateful = call !== 'openat' || line.includes('O_CREAT') || line.includes('/restart.json"');
  return where?.includes(directory) === true && isFateful;
}

/**
 * By how much the counts of a run differ from those of the run the points were taken from: node opens a file or wakes a
 * thread more or less on the way. Seen at the same call on the tree, or the last of that name before it that the run
 * came to; undefined when it came to none.
 */
export function shift(
  log: readonly string[],
  point: FaultPoint,
  directory: string,
  points: readonly FaultPoint[],
): number | undefined {
  const expected = points.filter(({ call, when }) => call === point.call && when <= point.when);
  const found = faultPoints(log, directory).filter(({ call }) => call === point.call);
  const seen = Math.min(expected.length, found.length) - 1;
  const [planned, actual] = [expected[seen], found[seen]];
  return planned && actual && actual.when - planned.when;
}

/**
 * Did the fault hit a call on the tree first? A count may shift by a call of node's own.
 * @param call the name of what was to be hit: calls of another name may always fail in that scenario
 */
export function hit(
  log: readonly string[],
  directory: string,
  kind: 'killed' | 'failed' | 'signalled',
  call: string,
): boolean {
  const calls = log.filter((line) => /^\w+\(/.test(line));
  const line = {
    killed: () => calls.at(-1),
    failed: () => calls.find((line) => line.startsWith(`${call}(`) && line.includes('(INJECTED)')),
    signalled: () => log[log.findIndex((entry) => /^--- SIG(?:INT|TERM) /.test(entry)) - 1],
  }[kind]();
  return line !== undefined && isChange(/^(\w+)\(/.exec(line)?.[1] ?? '', line, directory);
}
