import { closeSync, constants, openSync, readlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf } from '../filesystem/filesystem-error.ts';
import { isOutOfReach } from '../filesystem/owner.ts';

/**
 * Does something to a file in its directory. Where another user could put a symlink in the place of that
 * directory, or of one around it, and so lead us to a directory of root's, the directory is opened, looked
 * at, and used through its descriptor: its name may then lead elsewhere, and the file stays in it. node has
 * no calls such as openat(2).
 * @param path without symlinks
 * @param act given a path that leads there
 * @throws what `act` throws and what node:fs throws; KubepkiError conflict where the path leads elsewhere by
 * now
 */
export function inItsDirectory<T>(path: string, act: (path: string) => T): T {
  const directory = dirname(path);
  if (isOutOfReach(directory)) return act(path);
  const descriptor = openDirectory(directory);
  try {
    const opened = `/proc/self/fd/${String(descriptor)}`;
    if (whereIs(opened) !== directory) throw replaced(directory);
    return act(join(opened, basename(path)));
  } finally {
    closeSync(descriptor);
  }
}

function openDirectory(directory: string): number {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  try {
    return openSync(directory, flags);
  } catch (cause) {
    if (['ENOTDIR', 'ELOOP'].includes(errnoOf(cause) ?? '')) throw replaced(directory);
    throw cause;
  }
}

function replaced(directory: string): KubepkiError {
  return new KubepkiError('conflict', 'has been replaced by something else meanwhile', {
    file: directory,
    hint: 'find out who can write to the directories around it, then run the command again',
  });
}

/** The kernel's own name of it, in which there is no symlink. */
function whereIs(opened: string): string {
  try {
    return readlinkSync(opened);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw new KubepkiError('io', 'is needed to work in directories of other users, and is not mounted', {
      file: '/proc',
      hint: 'mount -t proc proc /proc',
      cause,
    });
  }
}
