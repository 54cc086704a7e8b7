import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isBefore } from '../changeset/past-change.ts';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { backupId, manifestName, readManifest, type BackupManifest } from './manifest.ts';
import type { StateDirectory } from './state-directory.ts';

export interface BackupList {
  /** Complete ones, the newest first. */
  readonly backups: readonly BackupManifest[];
  /** Backups whose manifest cannot be read or understood: a damaged one must not hide the others. */
  readonly damaged: readonly { readonly id: string; readonly error: KubepkiError }[];
}

/** @throws KubepkiError no-permission, io for the directory of all of them */
export function listBackups(state: StateDirectory): BackupList {
  const backups: BackupManifest[] = [];
  const damaged: { id: string; error: KubepkiError }[] = [];
  for (const id of backupNames(state)) {
    const manifest = readOne(state, id);
    if (manifest instanceof KubepkiError) damaged.push({ id, error: manifest });
    else if (manifest !== undefined) backups.push(manifest);
  }
  return { backups: backups.sort((one, other) => (isBefore(one, other) ? 1 : -1)), damaged };
}

function readOne(state: StateDirectory, id: string): BackupManifest | KubepkiError | undefined {
  const file = join(state.backups, id, manifestName);
  try {
    return readManifest(state, id);
  } catch (cause) {
    return filesystemError(cause, file);
  }
}

/** The names in the directory that are IDs of backups. */
export function backupNames(state: StateDirectory): string[] {
  try {
    return (
      readdirSync(state.backups, { withFileTypes: true })
        // We make directories. A symlink with such a name leads to what is not ours to read or to remove.
        .filter((entry) => entry.isDirectory() && backupId.test(entry.name))
        .map(({ name }) => name)
        .sort()
    );
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw filesystemError(cause, state.backups);
  }
}
