import { readdirSync, type Dirent } from 'node:fs';
import { KubepkiError, type ErrorCode } from '../errors/error.ts';

const codes: Readonly<Record<string, readonly [ErrorCode, string, string?]>> = {
  ENOENT: ['not-found', 'no such file or directory'],
  ENOTDIR: ['not-a-file', 'a part of the path is not a directory'],
  EISDIR: ['not-a-file', 'is a directory, not a file'],
  ELOOP: ['not-a-file', 'too many levels of symbolic links'],
  EACCES: ['no-permission', 'permission denied', 'run it as root, or as the user who owns the file'],
  EPERM: ['no-permission', 'operation not permitted', 'run it as root, or as the user who owns the file'],
  // rename(2) says so of a file that another one is mounted on.
  EBUSY: ['io', 'is busy: something may be mounted on it', 'unmount it and run the command again'],
  EROFS: ['io', 'read-only file system', 'remount it read-write and run the command again'],
  EMFILE: [
    'io',
    'too many files are open in this process',
    'raise its limit (ulimit -n) and run the command again',
  ],
  ENFILE: [
    'io',
    'too many files are open on this machine',
    'find out which program has them open (/proc/sys/fs/file-nr)',
  ],
  ENOSPC: ['io', 'no space left on device', 'make room and run the command again'],
};

/** Turns an error of node:fs into the one that a user meets. @param file its path as the operator wrote or would write it */
export function filesystemError(cause: unknown, file: string): KubepkiError {
  if (cause instanceof KubepkiError) return cause.about(file);
  const code = errnoOf(cause);
  const known = code === undefined ? undefined : codes[code];
  if (known !== undefined) {
    const [errorCode, message, hint] = known;
    return new KubepkiError(errorCode, message, { file, hint, cause });
  }
  return new KubepkiError('io', systemMessage(cause), { file, cause });
}

/** Does something with a file, whose name is in the error where that fails. @throws KubepkiError */
export function onFile<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw filesystemError(cause, file);
  }
}

/**
 * What is in a directory; nothing where it is not there.
 * @param directory host path without symlinks
 * @throws KubepkiError no-permission, not-a-file, io
 */
export function entriesIn(directory: string, shownPath: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw filesystemError(cause, shownPath);
  }
}

/** `ENOENT` and the like; undefined for an error that did not come from a system call. */
export function errnoOf(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  return typeof cause.code === 'string' ? cause.code : undefined;
}

// node says "EIO: i/o error, open '/path'": the middle is the operating system's own text.
function systemMessage(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return /^[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message;
}
