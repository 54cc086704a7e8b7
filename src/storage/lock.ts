import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, ftruncateSync, readdirSync, rmdirSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { systemProgram } from '../filesystem/system-program.ts';
import { isRecord, parseJson } from './record.ts';
import { removeIfThere } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';
import {
  kubeconfigDirName,
  kubeconfigLockPath,
  nameKubeconfigDir,
  openLockFile,
  type LockFile,
} from './lock-file.ts';
import { ensureDirectory, removeEmpty } from './new-directories.ts';
import { createStateDirectory, removeIfEmpty, type StateDirectory } from './state-directory.ts';

export interface Lock {
  release(): void;
}

interface LockRequest {
  readonly state: StateDirectory;
  /** The cert dir is made where it is not there, with this mode; undefined: that is an error. */
  readonly newDirectoryMode: number | undefined;
  readonly pid: number;
  readonly command: string;
  /** Waits a little while another run holds the lock; false when it has been long enough. */
  readonly wait: () => Promise<boolean>;
}

/**
 * Takes flock(2) on a file in the cert dir and on one in the kubeconfig dir: the kernel's lock, which dies with its holder.
 * node has no call for it; util-linux' (or busybox') `flock` takes it on a descriptor that it inherits, and since the lock
 * belongs to the open file and not to the process, we keep it when `flock` has ended.
 * @throws KubepkiError busy naming the holder, when there is no more waiting
 */
export async function acquireLock(request: LockRequest): Promise<Lock> {
  for (;;) {
    const lock = tryLock(request);
    if (lock !== undefined) return lock;
    if (!(await request.wait())) throw busy(request.state);
  }
}

/** Whether a run is at work at this moment. Takes the lock for an instant, if it can; writes nothing. */
export function isLocked({ lock }: StateDirectory): boolean {
  try {
    const file = openLockFile(lock, { make: false });
    if (file === undefined) return false;
    try {
      return !flock(file.descriptor);
    } finally {
      closeSync(file.descriptor);
    }
  } catch (error) {
    // Only the words of a note depend on this: where the lock cannot be tried, no run holds it either.
    if (error instanceof KubepkiError) return false;
    throw error;
  }
}

function tryLock({ state, newDirectoryMode, pid, command }: LockRequest): Lock | undefined {
  const made = newDirectoryMode === undefined ? [] : ensureDirectory(state.certDir, newDirectoryMode);
  const files: LockFile[] = [];
  let lock: Lock | undefined;
  try {
    createStateDirectory(state.path);
    const own = openLockFile(state.lock, { make: true });
    files.push(own);
    const other = kubeconfigLockPath(state);
    if (other !== undefined) files.push(openLockFile(other, { make: true }));
    if (!lockAll(files)) return undefined;
    if (files[1] !== undefined && kubeconfigDirName(state) === undefined) nameKubeconfigDir(files[1]);
    writeHolder(own, `${JSON.stringify({ pid, command })}\n`);
    lock = {
      release: () => {
        try {
          removeIfEmpty(state.backups);
          writeHolder(own, '');
          if (made.includes(state.certDir)) leaveNothing(state, files, made);
        } finally {
          close(files);
        }
      },
    };
    return lock;
  } finally {
    if (lock === undefined) {
      close(files);
      removeEmpty(made);
    }
  }
}

/** Takes all locks or none, in the order of the inodes, so that two runs do not wait for each other. */
function lockAll(files: readonly LockFile[]): boolean {
  const ordered = [...files].sort((one, other) => (one.inode < other.inode ? -1 : 1));
  return ordered.every(({ descriptor }) => flock(descriptor)) && files.every(isInPlace);
}

let proven = false;

/**
 * Whether the path still leads to the file that is locked: `kubeadm reset` may have taken it away while we waited. Opened
 * for that once more, it must be locked: a program by the name of flock may do nothing and say that all is well.
 */
function isInPlace({ path, inode }: LockFile): boolean {
  const again = openLockFile(path, { make: false });
  if (again === undefined) return false;
  try {
    if (again.inode !== inode) return false;
    if (!proven && flock(again.descriptor)) {
      throw new KubepkiError('io', 'the program flock says that it has taken the lock, and has not', {
        file: path,
        hint: 'install the flock of util-linux, or find out whether this file system has locks',
      });
    }
    proven = true;
    return true;
  } finally {
    closeSync(again.descriptor);
  }
}

/**
 * A run that made the cert dir and put nothing into it takes it away again: the only time that a lock file goes. A run that
 * waits for it finds that out ({@link isInPlace}).
 * @param made the cert dir and those around it
 */
function leaveNothing(
  { path: state }: StateDirectory,
  files: readonly LockFile[],
  made: readonly string[],
): void {
  for (const directory of [...made, state].reverse()) {
    try {
      const lock = files.find(({ path }) => dirname(path) === directory)?.path;
      const names = readdirSync(directory);
      if (lock !== undefined && names.join() === basename(lock)) removeIfThere(lock);
      else if (names.length > 0) return;
      inItsDirectory(directory, rmdirSync);
    } catch (cause) {
      throw filesystemError(cause, directory);
    }
  }
}

function close(files: readonly LockFile[]): void {
  for (const { descriptor } of files) closeSync(descriptor);
}

/** The text only names the holder: a full disk must not keep an interrupted change from being brought to an end. */
function writeHolder({ descriptor }: LockFile, text: string): void {
  try {
    ftruncateSync(descriptor);
    writeSync(descriptor, text, 0);
  } catch {
    // Then the lock file names no holder.
  }
}

/** The lock lasts as long as the open file does. @returns false when another open file has it */
export function flock(descriptor: number): boolean {
  const program = systemProgram('flock');
  if (program === undefined) {
    throw new KubepkiError('io', 'the program flock is needed to take the lock, and is not there', {
      hint: 'install util-linux',
    });
  }
  const run = (): ReturnType<typeof spawnSync> =>
    spawnSync(program, ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  let outcome = run();
  // Ctrl-C reaches the whole process group. What it means is decided where the run's own signals are.
  if (outcome.signal !== null) outcome = run();
  const { status, error } = outcome;
  if (error !== undefined) throw notStarted(error, program);
  // 1 is flock's answer for a lock that is held; anything else is a fault (a file system without locks).
  if (status !== 0 && status !== 1) {
    throw new KubepkiError('io', `the lock cannot be taken: flock left with ${String(status)}`);
  }
  return status === 0;
}

/** In a bare chroot it is not the program that is missing: what is ignored of its streams goes to /dev/null. */
function notStarted(cause: Error, program: string): KubepkiError {
  if (existsSync('/dev/null')) return filesystemError(cause, program);
  return new KubepkiError('io', 'is needed to start flock, which takes the lock, and is not there', {
    file: '/dev/null',
    hint: 'mknod -m 666 /dev/null c 1 3',
    cause,
  });
}

function busy(state: StateDirectory): KubepkiError {
  const pid = isLocked(state) ? holderPid(state) : undefined;
  return new KubepkiError(
    'busy',
    `another run ${pid === undefined ? '' : `(pid ${String(pid)}) `}is at work on these certificates`,
    {
      hint: 'wait for it to end, or give it longer with --lock-timeout',
    },
  );
}

function holderPid({ lock }: StateDirectory): number | undefined {
  try {
    const file = readRegularFile(lock, lock);
    const value = file && parseJson(file.bytes);
    return isRecord(value) && typeof value['pid'] === 'number' ? value['pid'] : undefined;
  } catch {
    // The text only names the holder, and is being written.
    return undefined;
  }
}
