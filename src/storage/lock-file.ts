import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { geteuid } from 'node:process';
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { kubeconfigLockName } from '../filesystem/own-names.ts';
import { exists, readRegularFile } from '../filesystem/regular-file.ts';
import { syncDirectory } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';
import { wayOn, type StateDirectory } from './state-directory.ts';

/** A file that is there to be locked; the lock lasts as long as it is open. */
export interface LockFile {
  readonly path: string;
  readonly descriptor: number;
  /** Two paths may lead to one file. */
  readonly inode: string;
}

/**
 * Opens the lock file, and makes it where it is not there. No other user may be able to open it: a user who
 * can open a file can lock it.
 * @param make false: undefined when it is not there
 * @throws KubepkiError no-permission
 */
export function openLockFile(path: string, { make }: { readonly make: true }): LockFile;
export function openLockFile(path: string, { make }: { readonly make: boolean }): LockFile | undefined;
export function openLockFile(path: string, { make }: { readonly make: boolean }): LockFile | undefined {
  // NONBLOCK: a FIFO that was planted at this name must not make us wait.
  const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
  let descriptor: number;
  try {
    descriptor = inItsDirectory(path, (file) =>
      openSync(file, flags | (make ? constants.O_CREAT : 0), 0o600),
    );
  } catch (cause) {
    if (!make && errnoOf(cause) === 'ENOENT') return undefined;
    throw errnoOf(cause) === 'ELOOP' ? notOurs(path, undefined) : filesystemError(cause, path);
  }
  try {
    const stats = fstatSync(descriptor);
    requireOurs(path, stats);
    // open(2) subtracts the umask.
    if ((stats.mode & 0o777) !== 0o600) fchmodSync(descriptor, 0o600);
    return { path, descriptor, inode: `${String(stats.dev)}:${String(stats.ino)}` };
  } catch (cause) {
    closeSync(descriptor);
    throw filesystemError(cause, path);
  }
}

function requireOurs(path: string, stats: Stats): void {
  if (!stats.isFile() || stats.uid !== (geteuid?.() ?? stats.uid)) throw notOurs(path, stats);
  if ((stats.mode & 0o077) === 0) return;
  throw new KubepkiError('no-permission', 'can be opened by others, who could hold the lock for ever', {
    file: path,
    hint: `chmod 600 ${shellWord(path)}`,
  });
}

function notOurs(path: string, stats: Stats | undefined): KubepkiError {
  const owner = stats?.isFile() === true ? stats.uid : undefined;
  const problem = owner === undefined ? 'is not a file' : `belongs to uid ${String(owner)}, not to you`;
  return new KubepkiError('no-permission', `${problem}, and kubepki takes its lock there`, {
    file: path,
    hint: owner === undefined ? 'find out who made it, then move it away' : wayOn(owner, path),
  });
}

/**
 * The file that is locked in the kubeconfig dir. There is none where no kubeconfig can be replaced: the directory is not there, or
 * this run may not write to it (another machine's, mounted read-only; another user's).
 * @throws KubepkiError not-a-file, no-permission, io
 */
export function kubeconfigLockPath(state: StateDirectory): string | undefined {
  const directory = state.root.resolve(state.kubeconfigDir);
  return exists(directory, state.kubeconfigDir) && isWritable(directory)
    ? join(directory, kubeconfigLockName)
    : undefined;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch (cause) {
    if (['EACCES', 'EROFS'].includes(errnoOf(cause) ?? '')) return false;
    throw filesystemError(cause, directory);
  }
}

/**
 * The name that was given to the kubeconfig dir, and is kept in the lock file there. It tells the directory through another mount,
 * and tells two directories apart that were mounted at the same path.
 */
export function kubeconfigDirName({ root, kubeconfigDir }: StateDirectory): string | undefined {
  const path = join(kubeconfigDir, kubeconfigLockName);
  try {
    const text = readRegularFile(join(root.resolve(kubeconfigDir), kubeconfigLockName), path)?.bytes.toString(
      'latin1',
    );
    return text === undefined ? undefined : /^([0-9a-f]{32})\n$/.exec(text)?.[1];
  } catch (error) {
    // The run that wants the lock says that the file is another user's, or none of ours.
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

/** Gives the directory a name, once. Call it under the lock. @throws KubepkiError io */
export function nameKubeconfigDir({ path, descriptor }: LockFile): void {
  try {
    writeSync(descriptor, `${randomBytes(16).toString('hex')}\n`, 0);
    // A journal may speak of the name, which so is on disk before it.
    fsyncSync(descriptor);
    syncDirectory(dirname(path));
  } catch (cause) {
    // A full disk must not keep an interrupted change from being brought to an end. Half a name counts for none.
    if (!['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '')) throw filesystemError(cause, path);
  }
}
