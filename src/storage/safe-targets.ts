import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { isForeign, isOpenToOthers } from '../filesystem/owner.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

/**
 * What must be true of all targets of a change together, before anything is prepared.
 * @throws KubepkiError conflict when two of them are one file; no-permission where another user decides what is written where
 */
export function requireSafeTargets(root: FileSystemRoot, targets: readonly FileTarget[]): void {
  requireDistinct(targets);
  requireTrustedLinks(root, targets);
  requireOwnDirectories(targets);
  for (const target of targets) requireNamersOwn(target);
}

function requireDistinct(targets: readonly FileTarget[]): void {
  const seen = new Map<string, string>();
  for (const { path, resolvedPath } of targets) {
    const other = seen.get(resolvedPath);
    if (other !== undefined) {
      throw new KubepkiError('conflict', `is the same file as ${other}, and both would be written`, {
        file: path,
        hint: 'give each certificate and each key a file of its own; where two certificates share one, take them one by one',
      });
    }
    seen.set(resolvedPath, path);
  }
}

/**
 * The owner of a symlink on the way to a target decides which file is overwritten, with our rights: the owner
 * must be root or ourselves. (The kernel's fs.protected_symlinks says the same, but only of sticky
 * directories.)
 */
function requireTrustedLinks(root: FileSystemRoot, targets: readonly FileTarget[]): void {
  for (const { path } of targets) {
    for (const link of root.linksOnTheWay(path)) {
      const { uid } = look(link);
      if (!isForeign(uid)) continue;
      throw new KubepkiError(
        'no-permission',
        `the symbolic link ${link} belongs to uid ${String(uid)}, who would decide which file is overwritten`,
        { file: path, hint: `if it leads where it should, make it yours: chown -h root ${shellWord(link)}` },
      );
    }
  }
}

/** Who may write to a directory may put another file in the place of each that is in it, at any moment. */
function requireOwnDirectories(targets: readonly FileTarget[]): void {
  const directories = new Set(targets.map(({ resolvedPath }) => dirname(resolvedPath)));
  for (const directory of directories) {
    const stats = lookFor(directory);
    if (stats === undefined || !isOpenToOthers(stats)) continue;
    throw new KubepkiError('no-permission', 'is a directory that other users can write to', {
      file: directory,
      hint: `make it its owner's alone: chmod go-w ${shellWord(directory)}`,
    });
  }
}

/** A foreign kubeconfig leads only to its owner's own files, in a directory of the same owner's. */
function requireNamersOwn({ path, resolvedPath, before, namedBy }: FileTarget): void {
  if (namedBy?.foreign !== true) return;
  const directory = dirname(resolvedPath);
  const owners = [before?.uid, look(directory).uid].filter((uid) => uid !== undefined);
  if (owners.every((uid) => uid === namedBy.uid)) return;
  throw new KubepkiError(
    'no-permission',
    `is named by ${namedBy.path}, which belongs to uid ${String(namedBy.uid)}, but the file and its directory do not`,
    {
      file: path,
      hint: `give the file and its directory to uid ${String(namedBy.uid)}, or have the kubeconfig name another file`,
    },
  );
}

function look(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (cause) {
    throw filesystemError(cause, path);
  }
}

/** @returns undefined where nothing is there yet */
function lookFor(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw filesystemError(cause, path);
  }
}
