import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { compileFunction } from 'node:vm';
import {
  bundle,
  cleanEnvironment,
  isExecutable,
  kubepki,
  kubepkiCommand,
  type Outcome,
  type RunOptions,
} from './kubepki.ts';
import { cryptoWithKeys } from './certificates/rsa-keys.ts';
import type { Tree } from './tree.ts';

/** With an executable, and with KILLS=all, each run is a process of its own. */
const startsProcess = isExecutable || process.env['KILLS'] === 'all';

/** The bundle as bin/kubepki.js runs it, but that `process` is given to it. */
type Load = (process: object) => (require: (id: string) => unknown) => void;
let compiled: Load | undefined;

/**
 * The same as {@link kubepki}, for tests of what the program does and says: the same bundle, from its first line on, with a `process` of
 * its own, whose command line, environment, streams and exit code are those of that run. Nothing is left of it for the next one: its
 * modules are made anew, and its RSA keys are there already. It takes a tenth of the CPU time. What a process is (signals, real streams, the working directory, an end
 * that nobody thought of) is for {@link kubepki}.
 */
export function kubepkiInProcess(
  args: readonly string[],
  { programs }: Pick<RunOptions, 'programs'> = {},
): Promise<Outcome> {
  if (startsProcess) return kubepki(args, { programs });
  compiled ??= compileFunction(`return (${fs.readFileSync(bundle, 'utf8')})`, ['process'], {
    filename: bundle,
  }) as Load;
  const load = compiled;
  // The runtime has it from the environment, which is this process's: for its own runs the same as for a process.
  process.env['TZ'] = cleanEnvironment()['TZ'];
  return new Promise((resolve) => {
    const { own, said } = processOf(args, (code) => {
      resolve({ ...said, code, signal: undefined });
    });
    const inBundle = createRequire(bundle);
    const given: Readonly<Record<string, object>> = {
      process: own,
      'node:process': own,
      'node:fs': pipes,
      'node:crypto': cryptoWithKeys,
      ...(programs === undefined ? {} : { 'node:child_process': besideSystem(programs) }),
    };
    load(own)((id) => given[id] ?? inBundle(id));
  });
}

/** `kubepki certs …` on a tree. */
export function certsInProcess(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return kubepkiInProcess(['certs', ...args, '--rootfs', tree.directory]);
}

/** `kubepki ca …` on a tree. */
export function caInProcess(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  return kubepkiInProcess(['ca', ...args, '--rootfs', tree.directory]);
}

/** The same, where anything but exit 0 is a failure of the test. */
export async function doneInProcess(tree: Tree, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await certsInProcess(tree, ...args);
  assert.equal(outcome.code, 0, `${args.join(' ')}: ${outcome.stderr}`);
  return outcome;
}

/** Its standard streams are no files and no devices, whatever those of the tests are. */
const pipe = { isFile: () => false, isCharacterDevice: () => false };
const pipes = Object.assign(Object.create(fs) as object, {
  fstatSync: (descriptor: number, options?: object) =>
    descriptor === 1 || descriptor === 2 ? pipe : fs.fstatSync(descriptor, options),
});

/** For what is asked of the system and answered (`getent`), a program of the directory where it has one. */
function besideSystem(programs: string): object {
  const execFile = (file: string, ...rest: readonly unknown[]): unknown => {
    const own = join(programs, basename(file));
    return Reflect.apply(childProcess.execFile, undefined, [fs.existsSync(own) ? own : file, ...rest]);
  };
  return Object.assign(Object.create(childProcess) as object, { execFile });
}

function processOf(
  args: readonly string[],
  onEnd: (code: number) => void,
): { own: object; said: { stdout: string; stderr: string } } {
  const said = { stdout: '', stderr: '' };
  const output = (name: 'stdout' | 'stderr'): object =>
    Object.assign(new EventEmitter(), {
      write: (text: string) => {
        said[name] += text;
        return true;
      },
    });
  // It sets the code when it begins, and when it has ended.
  let codes: readonly number[] = [];
  const end = (): void => {
    setImmediate(() => {
      onEnd(codes.at(-1) ?? 0);
    });
  };
  const own = Object.create(process) as object;
  // Its own listeners: a signal is for the tests.
  EventEmitter.call(own as EventEmitter);
  Object.defineProperties(own, {
    argv: { value: [...kubepkiCommand, ...args] },
    env: { value: cleanEnvironment() },
    stdin: { value: Readable.from([]) },
    stdout: { value: output('stdout') },
    stderr: { value: output('stderr') },
    exitCode: {
      get: () => codes.at(-1),
      set: (code: number) => {
        codes = [...codes, code];
        if (codes.length === 2) end();
      },
    },
    exit: {
      value: (code?: number) => {
        if (code !== undefined) codes = [...codes, code];
        end();
      },
    },
  });
  return { own, said };
}
