import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeSet } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile, sha256 } from '../filesystem/regular-file.ts';
import { backupNames, listBackups } from './backup-list.ts';
import { createDurably, removeIfThere, syncDirectory } from './durable.ts';
import { manifestName, writeManifest, type BackupFile, type Occasion } from './manifest.ts';
import { createStateDirectory, type StateDirectory } from './state-directory.ts';

/** Copies what a ChangeSet will replace. The manifest is written last: a backup without one is not complete. */
export function createBackup(
  state: StateDirectory,
  id: string,
  occasion: Occasion,
  changes: ChangeSet,
): void {
  createStateDirectory(state.backups);
  const directory = join(state.backups, id);
  try {
    mkdirSync(directory, { mode: 0o700 });
    const files = changes.map(({ target }, index): BackupFile => {
      const { path, resolvedPath } = target;
      const file = readRegularFile(resolvedPath, path);
      if (file === undefined) return { path, resolvedPath, old: null };
      const name = String(index).padStart(2, '0');
      createDurably(join(directory, name), file.bytes, { mode: 0o600, owner: undefined });
      const { sha256, mode, uid, gid } = file.facts;
      return { path, resolvedPath, old: { name, sha256, mode, uid, gid } };
    });
    const newest = listBackups(state).backups[0]?.sequence ?? 0;
    writeManifest(state, { id, sequence: newest + 1, ...occasion, files });
    syncDirectory(directory);
    syncDirectory(state.backups);
  } catch (cause) {
    throw filesystemError(cause, directory);
  }
}

/**
 * An old file's content, checked against the manifest.
 * @throws KubepkiError no-backup when it is damaged
 */
export function readBackupFile(state: StateDirectory, id: string, file: BackupFile): Buffer | undefined {
  if (file.old === null) return undefined;
  const path = join(state.backups, id, file.old.name);
  const found = readRegularFile(path, path);
  if (found !== undefined && sha256(found.bytes) === file.old.sha256) return found.bytes;
  throw new KubepkiError('no-backup', 'is damaged or missing, so the backup cannot be used', { file: path });
}

/** Removes a backup, its manifest first: what is half removed is not taken for a backup. */
export function removeBackup(state: StateDirectory, id: string): void {
  const directory = join(state.backups, id);
  try {
    if (!exists(directory, directory)) return;
    removeIfThere(join(directory, manifestName));
    // Before the rest: a power cut must not leave a manifest without its files.
    syncDirectory(directory);
    rmSync(directory, { recursive: true, force: true });
    syncDirectory(state.backups);
  } catch (cause) {
    throw filesystemError(cause, directory);
  }
}

/**
 * Keeps the newest. What is not named by us, or written by another version, stays.
 * @param current kept in any case
 */
export function pruneBackups(state: StateDirectory, keep: number, current: string): void {
  const others = listBackups(state).backups.filter(({ id }) => id !== current);
  for (const { id } of others.slice(keep - 1)) removeBackup(state, id);
}

/** Call it when no change is under way: a backup without a manifest was never finished, or is half removed. */
export function removeIncompleteBackups(state: StateDirectory): void {
  for (const id of backupNames(state)) {
    if (!exists(join(state.backups, id, manifestName), state.backups)) removeBackup(state, id);
  }
}
