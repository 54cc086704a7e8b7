import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What `kubepki` on the PATH would be: the bundle, for node. */
export const kubepkiBin = fileURLToPath(new URL('../../bin/kubepki.js', import.meta.url));
export const bundle = fileURLToPath(new URL('../../dist/kubepki.cjs', import.meta.url));

const given = process.env['KUBEPKI_BIN'];
if (given !== undefined && !isAbsolute(given)) throw new Error('KUBEPKI_BIN is no absolute path');

/** Whether the program under test is one file with its own runtime, and not the bundle. */
export const isExecutable = given !== undefined;

/** The program under test, and what starts it: the bundle on this node, or the executable that KUBEPKI_BIN names. */
export const kubepkiCommand: readonly [string, ...string[]] =
  given === undefined ? [process.execPath, kubepkiBin] : [given];

/** The same for a shell. */
export const kubepkiLine = kubepkiCommand.map((word) => `'${word}'`).join(' ');

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** The exit code; undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

export interface RunOptions {
  /** Added to the clean environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Kills it after so long; it is not killed by default. */
  readonly limitMs?: number;
  /** A directory of programs that are in the place of the system's for this run alone. Needs root, or user namespaces. */
  readonly programs?: string | undefined;
}

/**
 * Runs the real program as a user would have it in a script: stdin is empty, stdout and stderr are no
 * terminals. The environment is clean (no NO_COLOR, FORCE_COLOR, CI) and the time zone is one that shows a forgotten UTC:
 * neither whole hours from it nor the machine's own.
 */
export function kubepki(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(args, {
    env: { ...cleanEnvironment(), ...options.env },
    cwd: options.cwd ?? process.cwd(),
    limitMs: options.limitMs ?? 0,
    programs: options.programs,
  });
}

export function cleanEnvironment(): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/', TMPDIR } = process.env;
  return { PATH, HOME, TZ: 'Asia/Kolkata', ...(TMPDIR === undefined ? {} : { TMPDIR }) };
}

/** Runs it as cron does: `env -i PATH=/usr/bin:/bin`, in `/`. */
export function kubepkiFromCron(args: readonly string[]): Promise<Outcome> {
  return run(args, { env: { PATH: '/usr/bin:/bin' }, cwd: '/', limitMs: 0, programs: undefined });
}

/** A run that goes on beside the test. */
export interface Running {
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Outcome>;
}

/** Starts it as {@link kubepki} does. */
export function startKubepki(args: readonly string[]): Running {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  return start(args, { env: { PATH, HOME }, cwd: process.cwd(), limitMs: 0, programs: undefined });
}

function run(args: readonly string[], options: Required<RunOptions>): Promise<Outcome> {
  return start(args, options).ended;
}

/** In a mount namespace of its own. */
function besideSystem(programs: string): readonly [string, ...string[]] {
  const mapped = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const bind = `for f in "$0"/*; do for d in /usr/bin /bin /usr/sbin /sbin; do
    [ ! -e "$d/\${f##*/}" ] || mount --bind "$f" "$d/\${f##*/}" || exit 70; done; done; exec "$@"`;
  return ['unshare', ...mapped, '--mount', 'sh', '-c', bind, programs, ...kubepkiCommand];
}

function start(args: readonly string[], { env, cwd, limitMs, programs }: Required<RunOptions>): Running {
  if (given === undefined && !existsSync(bundle))
    throw new Error('dist/kubepki.cjs is not built: run `npm run build` first (npm test does)');
  const [program, ...words] = programs === undefined ? kubepkiCommand : besideSystem(programs);
  const child = spawn(program, [...words, ...args], {
    env,
    cwd,
    timeout: limitMs,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
        code: code ?? undefined,
        signal: signal ?? undefined,
      });
    });
  });
  return { kill: (signal) => child.kill(signal), ended };
}
