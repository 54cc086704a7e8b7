import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateRecord, ChangeSet } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile, sha256 } from '../filesystem/regular-file.ts';
import { createDurably, removeIfThere, syncDirectory } from './durable.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { commandHere, createStateDirectory, type StateDirectory } from './state-directory.ts';
import { storedPathsFor, storedPathsOf } from './stored-paths.ts';

/** Who changed what: written beside the old files. */
export interface Occasion {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** The command line, without the program's path. */
  readonly command: string;
  readonly user: string;
  readonly certificates: readonly CertificateRecord[];
}

/** Host paths here, stored ones on disk. */
export interface BackupFile {
  readonly path: string;
  readonly resolvedPath: string;
  /** What the change replaced; null: there was no file, and going back removes it. */
  readonly old: {
    /** File name in the backup. */
    readonly name: string;
    readonly sha256: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  } | null;
}

export interface BackupManifest extends Occasion {
  readonly version: 1;
  /** Where it was made: in a copy of the directory alone, its paths would lead to the original. */
  readonly stateDirectory: string;
  readonly id: string;
  readonly files: readonly BackupFile[];
}

const manifestName = 'manifest.json';

/** The names we give: the time, then chance. */
export const backupId = /^\d{4}-\d\d-\d\dT\d{6}\.\d{3}Z-[0-9a-f]{6}$/;

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
      const { mode, uid, gid } = file;
      return { path, resolvedPath, old: { name, sha256: file.sha256, mode, uid, gid } };
    });
    const { store } = storedPathsFor(
      state,
      files.flatMap(({ path, resolvedPath }) => [path, resolvedPath]),
    );
    const manifest: BackupManifest = {
      version: 1,
      stateDirectory: store(state.path),
      id,
      ...occasion,
      files: withPaths(files, store),
    };
    const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
    createDurably(join(directory, manifestName), Buffer.from(text), { mode: 0o600, owner: undefined });
    syncDirectory(directory);
    syncDirectory(state.backups);
  } catch (cause) {
    throw filesystemError(cause, directory);
  }
}

function withPaths(files: readonly BackupFile[], convert: (path: string) => string): BackupFile[] {
  return files.map(({ path, resolvedPath, old }) => ({
    path: convert(path),
    resolvedPath: convert(resolvedPath),
    old,
  }));
}

/** Complete backups, the newest first. */
export function listBackups(state: StateDirectory): BackupManifest[] {
  return backupNames(state)
    .reverse()
    .flatMap((id) => readManifest(state, id) ?? []);
}

/** @throws KubepkiError no-backup */
export function findBackup(state: StateDirectory, id: string | undefined): BackupManifest {
  const backups = listBackups(state);
  const found = id === undefined ? backups[0] : backups.find((backup) => backup.id === id);
  if (found !== undefined && found.stateDirectory !== state.path) {
    throw new KubepkiError(
      'no-backup',
      `was made in ${found.stateDirectory}, and would change the files there`,
      {
        file: join(state.backups, found.id),
        hint: 'bring it back there, or copy the files out of it by hand',
      },
    );
  }
  if (found !== undefined) return found;
  throw new KubepkiError(
    'no-backup',
    id === undefined ? 'there is no backup yet' : `there is no backup ${JSON.stringify(id)}`,
    {
      file: state.backups,
      hint: `${commandHere(state, 'history')} lists them`,
    },
  );
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
 * Keeps the newest, and removes what is not complete. What is not named by us, or written by another version, stays.
 * @param current kept in any case: a clock that was set back must not make the newest the oldest
 */
export function pruneBackups(state: StateDirectory, keep: number, current: string): void {
  const others = listBackups(state).filter(({ id }) => id !== current);
  const removable = new Set(others.slice(keep - 1).map(({ id }) => id));
  for (const id of backupNames(state)) {
    const incomplete = !exists(join(state.backups, id, manifestName), state.backups);
    if (removable.has(id) || (incomplete && id !== current)) removeBackup(state, id);
  }
}

export function readManifest(state: StateDirectory, id: string): BackupManifest | undefined {
  const path = join(state.backups, id, manifestName);
  const file = readRegularFile(path, path);
  if (file === undefined) return undefined;
  const manifest = parseJson(file.bytes);
  if (!isManifest(manifest) || manifest.id !== id) return undefined;
  const paths = storedPathsOf(state, manifest.stateDirectory);
  // One made elsewhere is listed, and refused when it is to be brought back.
  if (paths === undefined) return manifest;
  return { ...manifest, stateDirectory: state.path, files: withPaths(manifest.files, paths.locate) };
}

function isManifest(value: unknown): value is BackupManifest {
  if (!isRecord(value) || value['version'] !== 1) return false;
  const { files, certificates } = value;
  return (
    ['stateDirectory', 'id', 'time', 'command', 'user'].every((field) => isText(value[field])) &&
    Array.isArray(certificates) &&
    certificates.every((one) => isRecord(one) && isText(one['name'])) &&
    Array.isArray(files) &&
    files.every(isFile)
  );
}

function isFile(value: unknown): value is BackupFile {
  if (!isRecord(value) || !isText(value['path']) || !isText(value['resolvedPath'])) return false;
  const { old } = value;
  if (old === null) return true;
  const numbers = ['mode', 'uid', 'gid'];
  return (
    isRecord(old) &&
    isText(old['name']) &&
    /^\d+$/.test(old['name']) &&
    isText(old['sha256']) &&
    numbers.every((field) => Number.isInteger(old[field]))
  );
}

// Names begin with the time, so that their order is the order of the changes.
function backupNames(state: StateDirectory): string[] {
  try {
    return readdirSync(state.backups)
      .filter((name) => backupId.test(name))
      .sort();
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw filesystemError(cause, state.backups);
  }
}
