import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError } from './filesystem-error.ts';
import { isForeign } from './owner.ts';

/** In bytes: no certificate, key, kubeconfig or kubeadm configuration comes near. */
export const maxFileBytes = 1024 * 1024;

/** What a file was when it was read: what a change is made against, and what its replacement takes over. */
export interface FileFacts {
  /** SHA-256 of the content, hex. */
  readonly sha256: string;
  /** Permission bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Its owner gains nothing by this program: see {@link isForeign}. */
  readonly foreign: boolean;
  /** Names the file has: more than one means that a replacement leaves the others with the old content. */
  readonly links: number;
}

export interface RegularFile {
  readonly bytes: Buffer;
  readonly facts: FileFacts;
}

/**
 * Reads a regular file of a sane size. Never blocks on a FIFO, never opens a device, never follows a symlink: resolve
 * the path first.
 * @param resolvedPath host path without symlinks
 * @param shownPath the path to name in an error
 * @returns undefined when there is no such file
 * @throws KubepkiError not-a-file, too-large, no-permission, io
 */
export function readRegularFile(
  resolvedPath: string,
  shownPath: string,
  maxBytes = maxFileBytes,
): RegularFile | undefined {
  try {
    const found = lstatSync(resolvedPath, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    requireRegular(found, shownPath, maxBytes);
    const descriptor = openSync(
      resolvedPath,
      // NONBLOCK: should the file have become a FIFO since lstat, open(2) must not wait for a writer.
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY,
    );
    try {
      const stats = fstatSync(descriptor);
      requireRegular(stats, shownPath, maxBytes);
      const bytes = readAll(descriptor, stats.size, { shownPath, maxBytes });
      return { bytes, facts: factsOf(stats, bytes) };
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw filesystemError(cause, shownPath);
  }
}

/**
 * Whether something is there; it is not opened. A dangling symlink counts for nothing, as for kubeadm (os.Stat).
 * @throws KubepkiError no-permission, io, not-a-file when that cannot be told
 */
export function exists(resolvedPath: string, shownPath: string): boolean {
  try {
    return lstatSync(resolvedPath, { throwIfNoEntry: false }) !== undefined;
  } catch (cause) {
    throw filesystemError(cause, shownPath);
  }
}

/** @returns SHA-256, hex */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function factsOf({ mode, uid, gid, nlink }: Stats, bytes: Buffer): FileFacts {
  let digest: string | undefined;
  return {
    // A reader that only looks never asks for it.
    get sha256() {
      digest ??= sha256(bytes);
      return digest;
    },
    mode: mode & 0o7777,
    uid,
    gid,
    foreign: isForeign(uid),
    links: nlink,
  };
}

function requireRegular(stats: Stats, shownPath: string, maxBytes: number): void {
  if (!stats.isFile()) {
    throw new KubepkiError('not-a-file', `is ${kindOf(stats)}, not a file`, { file: shownPath });
  }
  if (stats.size > maxBytes) {
    throw new KubepkiError('too-large', `is larger than ${String(maxBytes / 1024 / 1024)} MiB`, {
      file: shownPath,
    });
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  if (stats.isSocket()) return 'a socket';
  if (stats.isSymbolicLink()) return 'a symbolic link';
  return 'a device';
}

/** @param expected bytes; a file that grows while it is read is noticed */
function readAll(
  descriptor: number,
  expected: number,
  { shownPath, maxBytes }: { readonly shownPath: string; readonly maxBytes: number },
): Buffer {
  // One byte more: a file that is no longer ends before it.
  let buffer = Buffer.allocUnsafe(expected + 1);
  let length = 0;
  for (;;) {
    const read = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (read === 0) return buffer.subarray(0, length);
    length += read;
    if (length > maxBytes) {
      throw new KubepkiError('too-large', `is larger than ${String(maxBytes / 1024 / 1024)} MiB`, {
        file: shownPath,
      });
    }
    if (length === buffer.length) buffer = Buffer.concat([buffer], 2 * length);
  }
}
