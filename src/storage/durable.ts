import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { errnoOf } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { inItsDirectory } from './in-directory.ts';

interface Ownership {
  /** Permission bits. */
  readonly mode: number;
  /** undefined: the user who runs the command. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Creates a file that must not exist, complete and on disk when this returns. On an error nothing is left behind.
 * Throws what node:fs throws.
 */
export function createDurably(
  path: string,
  content: Buffer | Iterable<Buffer>,
  { mode, owner }: Ownership,
): void {
  // EXCL and NOFOLLOW: a file or symlink that was planted at this name is an error, never written through.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  inItsDirectory(path, (file) => {
    write(file, openSync(file, flags, 0o600), content, { mode, owner });
  });
}

function write(
  path: string,
  descriptor: number,
  content: Buffer | Iterable<Buffer>,
  { mode, owner }: Ownership,
): void {
  try {
    // Before the first byte, so that no other user ever opens the file half private. Owner before mode: chown
    // clears set-id bits.
    if (owner !== undefined) fchownSync(descriptor, owner.uid, owner.gid);
    // open(2) subtracts the umask, so that the mode must be set even where it is 0600.
    fchmodSync(descriptor, mode);
    let begin = 0;
    for (const piece of Buffer.isBuffer(content) ? [content] : content) {
      for (let offset = 0; offset < piece.length;) {
        offset += writeSync(descriptor, piece, offset, piece.length - offset, begin + offset);
      }
      begin += piece.length;
    }
    fsyncSync(descriptor);
  } catch (cause) {
    closeSync(descriptor);
    unlinkSync(path);
    throw cause;
  }
  closeSync(descriptor);
}

/** Replaces a file of ours in one step: a reader sees the old or the new content. Its mode is 0600. */
export function replaceDurably(path: string, content: Buffer): void {
  const staged = `${path}.new`;
  removeIfThere(staged);
  createDurably(staged, content, { mode: 0o600, owner: undefined });
  rename(staged, path);
  syncDirectory(dirname(path));
}

/** Renames within one directory. Throws what node:fs throws. */
export function rename(staged: string, path: string): void {
  inItsDirectory(path, (file) => {
    renameSync(join(dirname(file), basename(staged)), file);
  });
}

/** A rename, a creation or a removal is on disk only when its directory is. */
export function syncDirectory(directory: string): void {
  sync(directory, constants.O_DIRECTORY);
}

/** Flushes a regular file that another program wrote. @param path without symlinks */
export function syncFile(path: string): void {
  sync(path, constants.O_NOFOLLOW | constants.O_NONBLOCK);
}

function sync(path: string, flags: number): void {
  const descriptor = openSync(path, constants.O_RDONLY | flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export function removeIfThere(path: string): void {
  try {
    inItsDirectory(path, unlinkSync);
  } catch (cause) {
    const code = errnoOf(cause);
    // A read-only file system refuses before it looks whether there is anything to remove.
    if (code === 'ENOENT' || (code === 'EROFS' && !exists(path, path))) return;
    throw cause;
  }
}

/**
 * A name beside a resolved target, so that the rename stays on one file system. It begins with a dot and does not end
 * like a certificate: nothing that watches the directory takes it for one. The name cannot be guessed.
 */
export function stagedPathFor(resolvedPath: string): string {
  const name = `.${basename(resolvedPath)}.kubepki-${randomBytes(6).toString('hex')}`;
  return join(dirname(resolvedPath), name);
}

/** Whether a journal's word for a staged file is one of our names beside that target: only such are ever removed. */
export function isStagedPath(path: string, resolvedPath: string): boolean {
  return (
    dirname(path) === dirname(resolvedPath) &&
    basename(path).startsWith(`.${basename(resolvedPath)}.kubepki-`) &&
    isStagedName(basename(path))
  );
}

export function isStagedName(name: string): boolean {
  return /^\..+\.kubepki-[0-9a-f]{12}$/.test(name);
}
