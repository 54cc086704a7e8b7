import { join } from 'node:path';
import type { CertificateRecord } from '../changeset/change-set.ts';
import type { ChangePlace, PastChange } from '../changeset/past-change.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { createDurably } from './durable.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import type { StateDirectory } from './state-directory.ts';
import { storedPathsFor, storedPathsOf } from './stored-paths.ts';

/** Who changed what: written beside the old files. */
export interface Occasion {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** The command line, without the program's path. */
  readonly command: string;
  readonly user: string;
  readonly certificates: readonly CertificateRecord[];
  /** Of a rollback: the backup that was brought back. */
  readonly restored: ChangePlace | null;
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

export interface BackupManifest extends Occasion, PastChange {
  readonly version: 1;
  /** Where it was made: in a copy of the directory alone, its paths would lead to the original. */
  readonly stateDirectory: string;
  readonly restored: ChangePlace | null;
  readonly files: readonly BackupFile[];
}

/** As it is on disk: those of older versions do not say what a rollback brought back, nor that a change was none. */
export type StoredManifest = Omit<BackupManifest, 'restored'> & {
  readonly restored?: ChangePlace | null;
};

export const manifestName = 'manifest.json';

/** The names we give: the time, then chance. */
export const backupId = /^\d{4}-\d\d-\d\dT\d{6}\.\d{3}Z-[0-9a-f]{6}$/;

/** Throws what node:fs throws. */
export function writeManifest(
  state: StateDirectory,
  manifest: Omit<BackupManifest, 'version' | 'stateDirectory'>,
): void {
  const { store } = storedPathsFor(
    state,
    manifest.files.flatMap(({ path, resolvedPath }) => [path, resolvedPath]),
  );
  const stored: BackupManifest = {
    version: 1,
    stateDirectory: store(state.path),
    ...manifest,
    files: withPaths(manifest.files, store),
  };
  const text = `${JSON.stringify(stored, undefined, 2)}\n`;
  createDurably(join(state.backups, manifest.id, manifestName), Buffer.from(text), {
    mode: 0o600,
    owner: undefined,
  });
}

/**
 * @returns undefined when there is none: the backup is not complete; `damaged`: it is not one that we have written
 * @throws KubepkiError not-a-file, too-large, no-permission, io
 */
export function readManifest(state: StateDirectory, id: string): StoredManifest | 'damaged' | undefined {
  const path = join(state.backups, id, manifestName);
  const file = readRegularFile(path, path);
  if (file === undefined) return undefined;
  const manifest = parseJson(file.bytes);
  if (!isManifest(manifest) || manifest.id !== id) return 'damaged';
  const paths = storedPathsOf(state, manifest.stateDirectory);
  // One made elsewhere is listed, and refused when it is to be brought back.
  if (paths === undefined) return manifest;
  return { ...manifest, stateDirectory: state.path, files: withPaths(manifest.files, paths.locate) };
}

function withPaths(files: readonly BackupFile[], convert: (path: string) => string): BackupFile[] {
  return files.map(({ path, resolvedPath, old }) => ({
    path: convert(path),
    resolvedPath: convert(resolvedPath),
    old,
  }));
}

function isManifest(value: unknown): value is StoredManifest {
  if (!isRecord(value) || value['version'] !== 1 || !Number.isSafeInteger(value['sequence'])) return false;
  const { files, certificates, restored } = value;
  return (
    (restored === undefined || restored === null || isPlace(restored)) &&
    ['stateDirectory', 'id', 'time', 'command', 'user'].every((field) => isText(value[field])) &&
    Array.isArray(certificates) &&
    certificates.every(isCertificateRecord) &&
    Array.isArray(files) &&
    files.every(isFile)
  );
}

function isPlace(value: unknown): value is ChangePlace {
  return isRecord(value) && isText(value['id']) && Number.isSafeInteger(value['sequence']);
}

function isCertificateRecord(value: unknown): value is CertificateRecord {
  // JSON has no undefined: a certificate that was not there is left out.
  const isFacts = (facts: unknown): boolean =>
    facts === undefined ||
    (isRecord(facts) && ['serial', 'fingerprint', 'notAfter'].every((field) => isText(facts[field])));
  return isRecord(value) && isText(value['name']) && isFacts(value['old']) && isFacts(value['new']);
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
