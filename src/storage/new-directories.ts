import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileTarget } from '../changeset/change-set.ts';
import { onFile } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { syncDirectory } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';
import { removeIfEmpty } from './state-directory.ts';

/** The directories that a change needs and that are not there, outer ones first. */
export function missingDirectories(targets: readonly FileTarget[]): string[] {
  return [...new Set(targets.flatMap(({ resolvedPath }) => missingAncestors(dirname(resolvedPath))))];
}

function missingAncestors(directory: string): string[] {
  return exists(directory, directory) ? [] : [...missingAncestors(dirname(directory)), directory];
}

/**
 * Whether the directories are there, or can be made, as far as can be told without making them.
 * @throws KubepkiError not-found, not-a-file
 */
export function requireDirectories(
  targets: readonly FileTarget[],
  { mayMake }: { readonly mayMake: (directory: string) => boolean },
): void {
  const missing = missingDirectories(targets).filter(mayMake);
  for (const directory of missing) {
    if (!missing.includes(dirname(directory))) requireDirectory(dirname(directory), directory);
  }
  for (const { path, resolvedPath } of targets) {
    if (!missing.includes(dirname(resolvedPath))) requireDirectory(dirname(resolvedPath), path);
  }
}

/** @param file that would be made in it, for the error */
function requireDirectory(directory: string, file: string): void {
  onFile(file, () => {
    // With the slash the kernel itself says that a file is no directory.
    lstatSync(`${directory}/`);
  });
}

/** On disk when this returns. @throws KubepkiError no-permission, io */
export function createDirectory(directory: string, mode: number): void {
  onFile(directory, () => {
    inItsDirectory(directory, (path) => {
      mkdirSync(path, { mode });
      // mkdir(2) subtracts the umask.
      chmodSync(path, mode);
    });
    syncDirectory(dirname(directory));
  });
}

/**
 * Makes a directory, with those around it, that must be there before a change is begun: only what exists can be locked.
 * @returns what was made, outer ones first
 * @throws KubepkiError no-permission, not-a-file, io; then nothing is left
 */
export function ensureDirectory(directory: string, mode: number): readonly string[] {
  const made: string[] = [];
  try {
    for (const missing of missingAncestors(directory)) {
      createDirectory(missing, mode);
      made.push(missing);
    }
    return made;
  } catch (error) {
    removeEmpty(made);
    throw error;
  }
}

/** @param directories outer ones first */
export function removeEmpty(directories: readonly string[]): void {
  [...directories].reverse().forEach(removeIfEmpty);
}
