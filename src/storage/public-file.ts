import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { createDurably, removeIfThere, rename, syncDirectory } from './durable.ts';
import { stagedPathFor } from './staged-file.ts';

interface PublicFile {
  readonly name: string;
  readonly text: string;
}

interface WrittenFile {
  readonly path: string;
  readonly outcome: 'written' | 'unchanged';
}

/**
 * Puts files that anybody may read (0644) into a directory, each in one step. A file that is there and says something else stays,
 * and then none is written, unless `force` is given.
 * @param directory a host path
 * @throws KubepkiError not-found, not-a-file, no-permission, conflict
 */
export function writePublicFiles(
  directory: string,
  files: readonly PublicFile[],
  { force }: { readonly force: boolean },
): readonly WrittenFile[] {
  requireDirectory(directory, directory);
  const planned = files.map(({ name, text }) => {
    const path = join(directory, name);
    return { path, text, outcome: contentOf(path) === text ? 'unchanged' : 'written' } as const;
  });
  const changed = planned.filter(({ outcome }) => outcome === 'written');
  const other = changed.find(({ path }) => contentOf(path) !== undefined);
  if (other !== undefined && !force) {
    throw new KubepkiError('conflict', 'is there and says something else, so nothing was written', {
      file: other.path,
      hint: `look at it: cat ${shellWord(other.path)}; to replace it: --force`,
    });
  }
  for (const { path, text } of changed) replacePublicFile(path, [Buffer.from(text)], path);
  return planned.map(({ path, outcome }) => ({ path, outcome }));
}

/** @throws KubepkiError not-found, not-a-file, no-permission */
export function requireDirectory(directory: string, shownPath: string): void {
  try {
    if (statSync(directory).isDirectory()) return;
  } catch (cause) {
    throw filesystemError(cause, shownPath);
  }
  throw new KubepkiError('not-a-file', 'is not a directory', { file: shownPath });
}

/** @throws KubepkiError not-a-file for a symlink too: systemctl mask makes one, and has its reasons */
function contentOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() === true) {
    throw new KubepkiError('not-a-file', 'is a symbolic link, and is not replaced', {
      file: path,
      hint: `see where it leads, then remove it: ls -l ${shellWord(path)}`,
    });
  }
  return readRegularFile(path, path)?.bytes.toString('utf8');
}

/**
 * Writes a file that every user may read (0644) under a temporary name and renames it: no reader sees half of
 * it.
 * @throws KubepkiError
 */
export function replacePublicFile(path: string, pieces: Iterable<Buffer>, shownPath: string): void {
  try {
    const target = join(realpathSync(dirname(path)), basename(path));
    const staged = stagedPathFor(target);
    createDurably(staged, pieces, { mode: 0o644, owner: undefined });
    try {
      rename(staged, target);
    } catch (cause) {
      removeIfThere(staged);
      throw cause;
    }
    syncDirectory(dirname(target));
  } catch (cause) {
    throw filesystemError(cause, shownPath);
  }
}
