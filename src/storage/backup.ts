import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeSet } from '../changeset/change-set.ts';
import { isBefore } from '../changeset/past-change.ts';
import { KubepkiError } from '../errors/error.ts';
import { entriesIn, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile, sha256 } from '../filesystem/regular-file.ts';
import { createDurably, removeIfThere, syncDirectory } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';
import {
  backupId,
  manifestName,
  maxSequence,
  readManifest,
  writeManifest,
  type BackupFile,
  type BackupManifest,
  type Occasion,
} from './manifest.ts';
import { createStateDirectory, readOwn, type StateDirectory } from './state-directory.ts';

export interface BackupList {
  /** The complete ones, the newest first. */
  readonly backups: readonly BackupManifest[];
  /** Backups whose manifest cannot be read or understood: a damaged one must not hide the others. */
  readonly damaged: readonly { readonly id: string; readonly error: KubepkiError }[];
}

/** @throws KubepkiError no-permission, io for the directory of all of them */
export function listBackups(state: StateDirectory): BackupList {
  const backups: BackupManifest[] = [];
  const damaged: { id: string; error: KubepkiError }[] = [];
  for (const id of backupNames(state)) {
    const manifest = readAnyManifest(state, id);
    if (manifest instanceof KubepkiError) damaged.push({ id, error: manifest });
    else if (manifest !== undefined) backups.push(manifest);
  }
  return { backups: backups.sort((one, other) => (isBefore(one, other) ? 1 : -1)), damaged };
}

function readAnyManifest(state: StateDirectory, id: string): ReturnType<typeof readManifest> {
  try {
    return readManifest(state, id);
  } catch (cause) {
    return filesystemError(cause, join(state.backups, id, manifestName));
  }
}

/** The names in the directory that are IDs of backups. */
export function backupNames(state: StateDirectory): string[] {
  return (
    entriesIn(state.backups, state.backups)
      // We make directories. A symlink with such a name leads to what is not ours to read or to remove.
      .filter((entry) => entry.isDirectory() && backupId.test(entry.name))
      .map(({ name }) => name)
      .sort()
  );
}

/** Copies what a ChangeSet will replace. The manifest is written last: a backup without one is not complete. */
export function createBackup(
  state: StateDirectory,
  id: string,
  occasion: Occasion,
  changes: ChangeSet,
): void {
  createStateDirectory(state.backups);
  const directory = join(state.backups, id);
  onFile(directory, () => {
    inItsDirectory(directory, (path) => {
      mkdirSync(path, { mode: 0o700 });
    });
    const files = changes.map(({ target, after }, index): BackupFile => {
      const { path, resolvedPath } = target;
      const written = target.yields === true && after !== undefined ? { written: sha256(after.content) } : {};
      const file = readRegularFile(resolvedPath, path);
      if (file === undefined) return { path, resolvedPath, old: null };
      const name = String(index).padStart(2, '0');
      createDurably(join(directory, name), file.bytes, { mode: 0o600, owner: undefined });
      const { sha256: digest, mode, uid, gid } = file.facts;
      return { path, resolvedPath, old: { name, sha256: digest, mode, uid, gid }, ...written };
    });
    const newest = listBackups(state).backups[0]?.sequence ?? 0;
    // A manifest whose number was changed by hand must not make all later ones unreadable.
    const sequence = Math.min(newest + 1, maxSequence);
    writeManifest(state, { id, sequence, ...occasion, files });
    syncDirectory(directory);
    syncDirectory(state.backups);
  });
}

/**
 * An old file's content, checked against the manifest.
 * @throws KubepkiError no-backup when it is damaged
 */
export function readBackupFile(state: StateDirectory, id: string, file: BackupFile): Buffer | undefined {
  if (file.old === null) return undefined;
  const path = join(state.backups, id, file.old.name);
  const found = readOwn(path);
  if (found !== undefined && sha256(found.bytes) === file.old.sha256) return found.bytes;
  throw new KubepkiError('no-backup', 'is damaged or missing, so the backup cannot be used', { file: path });
}

/** Removes a backup, its manifest first: what is half removed is not taken for a backup. */
export function removeBackup(state: StateDirectory, id: string): void {
  const directory = join(state.backups, id);
  onFile(directory, () => {
    if (!exists(directory, directory)) return;
    removeIfThere(join(directory, manifestName));
    // Before the rest: a power cut must not leave a manifest without its files.
    syncDirectory(directory);
    inItsDirectory(directory, (path) => {
      rmSync(path, { recursive: true, force: true });
    });
    syncDirectory(state.backups);
  });
}

/**
 * Keeps the backups of the newest changes. Rollbacks do not count, or going back would push out what could be gone back to: their
 * backups stay as long as the changes around them. What is not named by us stays.
 * @param current this one is kept in any case
 */
export function pruneBackups(state: StateDirectory, keep: number, current: string): void {
  const { backups, damaged } = listBackups(state);
  const changes = backups.filter(({ restored }) => restored === null);
  // By putting an old file back each day, a user would push out the backups of the node's own files.
  const [users, own] = [changes.filter(isOfUsers), changes.filter((one) => !isOfUsers(one))];
  for (const { id } of users.slice(keep)) if (id !== current) removeBackup(state, id);
  const isCurrent = ({ id }: BackupManifest): boolean => id === current;
  const oldest = [...own.filter(isCurrent), ...own.filter((one) => !isCurrent(one))][keep - 1];
  if (oldest === undefined) return;
  for (const one of backups) if (isBefore(one, oldest) && !isCurrent(one)) removeBackup(state, one.id);
  // The age of a damaged backup is told by its name alone. It holds private keys, as the others do.
  for (const { id } of damaged) if (id < oldest.id) removeBackup(state, id);
}

/** Of a change of nothing but users' own files. */
function isOfUsers({ files }: BackupManifest): boolean {
  return files.length > 0 && files.every(({ written }) => written !== undefined);
}

/** Call it when no change is under way: a backup without a manifest was never finished, or is half removed. */
export function removeIncompleteBackups(state: StateDirectory): void {
  for (const id of backupNames(state)) {
    if (!exists(join(state.backups, id, manifestName), state.backups)) removeBackup(state, id);
  }
}
