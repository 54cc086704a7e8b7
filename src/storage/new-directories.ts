import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { FileTarget } from '../changeset/change-set.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { syncDirectory } from './durable.ts';
import { removeIfEmpty } from './state-directory.ts';

/** The directories that a change needs and that are not there, outer ones first. */
export function missingDirectories(targets: readonly FileTarget[]): string[] {
  const missing = new Set<string>();
  for (const { resolvedPath } of targets) {
    for (const directory of missingAncestors(dirname(resolvedPath))) missing.add(directory);
  }
  return [...missing];
}

function missingAncestors(directory: string): string[] {
  return exists(directory, directory) ? [] : [...missingAncestors(dirname(directory)), directory];
}

/** On disk when this returns. @throws KubepkiError no-permission, io */
export function createDirectory(directory: string, mode: number): void {
  try {
    mkdirSync(directory, { mode });
    // mkdir(2) subtracts the umask.
    chmodSync(directory, mode);
    syncDirectory(dirname(directory));
  } catch (cause) {
    throw filesystemError(cause, directory);
  }
}

/**
 * Makes directories that must be there before a change is begun (what is locked must exist).
 * @returns takes back what was made, as far as nothing is in it
 * @throws KubepkiError no-permission, not-a-file, io; then nothing is left
 */
export function ensureDirectories(directories: readonly string[], mode: number): () => void {
  const made: string[] = [];
  const undo = (): void => {
    [...made].reverse().forEach(removeIfEmpty);
  };
  try {
    for (const directory of directories.flatMap(missingAncestors)) {
      if (exists(directory, directory)) continue;
      createDirectory(directory, mode);
      made.push(directory);
    }
    return undo;
  } catch (error) {
    undo();
    throw error;
  }
}
