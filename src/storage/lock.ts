import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { removeIfThere, replaceDurably } from './durable.ts';
import { isRecord, parseJson } from './json-value.ts';
import { createStateDirectory, removeIfEmpty, type StateDirectory } from './state-directory.ts';

export interface Lock {
  release(): void;
}

export interface LockRequest {
  readonly state: StateDirectory;
  /** Host paths without symlinks: the cert dir and the kubeconfig dir, if it is there. */
  readonly directories: readonly string[];
  readonly pid: number;
  readonly command: string;
  /** Waits a little while another run holds the lock; false when it has been long enough. */
  readonly wait: () => Promise<boolean>;
}

/**
 * Takes flock(2) on the directories themselves: the kernel's lock, which dies with its holder. node has no call for it;
 * util-linux' (or busybox') `flock` takes it on a descriptor that it inherits, and since the lock belongs to the open
 * file and not to the process, we keep it when `flock` has ended.
 * @throws KubepkiError busy naming the holder, when there is no more waiting
 */
export async function acquireLock(request: LockRequest): Promise<Lock> {
  for (;;) {
    const descriptors = tryLock([...request.directories, request.state.parent]);
    if (descriptors !== undefined) {
      try {
        return hold(request, descriptors);
      } catch (error) {
        descriptors.forEach(closeSync);
        throw error;
      }
    }
    if (!(await request.wait())) throw busy(request.state);
  }
}

/** Whether a run is at work at this moment. Takes the lock for an instant, if it can; writes nothing. */
export function isLocked({ parent }: StateDirectory): boolean {
  try {
    const descriptors = tryLock([parent]);
    descriptors?.forEach(closeSync);
    return descriptors === undefined;
  } catch (error) {
    // Only the words of a note hang on it: where the lock cannot be tried, nobody holds it either.
    if (error instanceof KubepkiError) return false;
    throw error;
  }
}

function hold({ state, pid, command }: LockRequest, descriptors: readonly number[]): Lock {
  createStateDirectory(state.path);
  try {
    replaceDurably(state.holder, Buffer.from(`${JSON.stringify({ pid, command })}\n`));
  } catch (cause) {
    tidyUp(state);
    throw filesystemError(cause, state.path);
  }
  return {
    release: () => {
      try {
        leaveNothing(state);
      } finally {
        descriptors.forEach(closeSync);
      }
    },
  };
}

/** After an error, which is the one to be told: what keeps us from writing often keeps us from removing too. */
function tidyUp(state: StateDirectory): void {
  try {
    leaveNothing(state);
  } catch {
    // What is left only names a holder that is gone.
  }
}

/**
 * A run that changed nothing leaves no trace; one that did leaves its backup.
 * @throws KubepkiError no-permission, io
 */
function leaveNothing(state: StateDirectory): void {
  try {
    removeIfThere(state.holder);
    removeIfThere(`${state.holder}.new`);
  } catch (cause) {
    throw filesystemError(cause, state.holder);
  }
  removeIfEmpty(state.backups);
  removeIfEmpty(state.path);
}

/** All of them or none; in the order of their inodes, so that two runs do not wait for each other. */
function tryLock(directories: readonly string[]): readonly number[] | undefined {
  const opened = directories.map(openDirectory);
  const unique = new Map(opened.map((descriptor) => [inodeOf(descriptor), descriptor] as const));
  for (const descriptor of opened) {
    if (unique.get(inodeOf(descriptor)) !== descriptor) closeSync(descriptor);
  }
  const descriptors = [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, descriptor]) => descriptor);
  if (descriptors.every(flock)) return descriptors;
  descriptors.forEach(closeSync);
  return undefined;
}

function openDirectory(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw filesystemError(cause, path);
  }
}

function inodeOf(descriptor: number): string {
  const { dev, ino } = fstatSync(descriptor);
  return `${String(dev)}:${String(ino)}`;
}

/** The lock lasts as long as the open file does. @returns false when another open file has it */
export function flock(descriptor: number): boolean {
  const run = (): ReturnType<typeof spawnSync> =>
    spawnSync('flock', ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  let outcome = run();
  // Ctrl-C reaches the whole process group. What it means is decided where the run's own signals are.
  if (outcome.signal !== null) outcome = run();
  const { status, error } = outcome;
  if (error !== undefined) {
    throw new KubepkiError('io', 'the program flock is needed to take the lock, and cannot be run', {
      hint: 'install util-linux',
      cause: error,
    });
  }
  // 1 is flock's answer for a lock that is held; anything else is a fault (a file system without locks).
  if (status !== 0 && status !== 1) {
    throw new KubepkiError('io', `the lock cannot be taken: flock left with ${String(status)}`);
  }
  return status === 0;
}

function busy(state: StateDirectory): KubepkiError {
  const pid = holderPid(state);
  return new KubepkiError(
    'busy',
    `another run ${pid === undefined ? '' : `(pid ${String(pid)}) `}is at work on these certificates`,
    {
      hint: 'wait for it to end, or give it longer with --lock-timeout',
    },
  );
}

function holderPid(state: StateDirectory): number | undefined {
  try {
    const file = readRegularFile(state.holder, state.holder);
    const value = file && parseJson(file.bytes);
    return isRecord(value) && typeof value['pid'] === 'number' ? value['pid'] : undefined;
  } catch {
    // It only names the holder, and is being written or removed.
    return undefined;
  }
}
