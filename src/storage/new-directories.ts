import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ChangeSet } from '../changeset/change-set.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { syncDirectory } from './durable.ts';

/** The directories that a change needs and that are not there, outer ones first. */
export function missingDirectories(changes: ChangeSet): string[] {
  const missing = new Set<string>();
  for (const { target } of changes) {
    const path: string[] = [];
    let directory = dirname(target.resolvedPath);
    while (!exists(directory, directory)) {
      path.unshift(directory);
      directory = dirname(directory);
    }
    for (const each of path) missing.add(each);
  }
  return [...missing];
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
