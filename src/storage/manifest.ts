import { join } from 'node:path';
import type { CertificateRecord } from '../changeset/change-set.ts';
import type { ChangePlace, PastChange } from '../changeset/past-change.ts';
import { KubepkiError } from '../errors/error.ts';
import { createDurably } from './durable.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { readOwn, type StateDirectory } from './state-directory.ts';
import {
  isOrigin,
  isStoredPath,
  pathLocator,
  pathStore,
  type Origin,
  type StoredPath,
} from './stored-paths.ts';

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

interface WithPaths<P> {
  readonly path: P;
  readonly resolvedPath: P;
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

/** Host paths here, stored ones on disk. */
export type BackupFile = WithPaths<string>;

export interface BackupManifest extends Occasion, PastChange {
  readonly restored: ChangePlace | null;
  readonly files: readonly BackupFile[];
  /** Why it cannot be brought back from here: then it names no files. */
  readonly unreachable: KubepkiError | undefined;
}

interface StoredManifest extends Occasion, PastChange {
  readonly version: 1;
  readonly origin: Origin;
  readonly restored: ChangePlace | null;
  readonly files: readonly WithPaths<StoredPath>[];
}

export const manifestName = 'manifest.json';

/** The names we give: the time, then chance. */
export const backupId = /^\d{4}-\d\d-\d\dT\d{6}\.\d{3}Z-[0-9a-f]{6}$/;

/** More changes than a node ever sees. A manifest with a number beyond it was not written by us. */
export const maxSequence = 1_000_000_000;

/** Throws what node:fs throws. */
export function writeManifest(state: StateDirectory, manifest: Omit<BackupManifest, 'unreachable'>): void {
  const { origin, store } = pathStore(
    state,
    manifest.files.flatMap(({ path, resolvedPath }) => [path, resolvedPath]),
  );
  const stored: StoredManifest = {
    version: 1,
    origin,
    ...manifest,
    files: withPaths(manifest.files, store, store),
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
export function readManifest(state: StateDirectory, id: string): BackupManifest | 'damaged' | undefined {
  const path = join(state.backups, id, manifestName);
  const file = readOwn(path);
  if (file === undefined) return undefined;
  const manifest = parseJson(file.bytes);
  if (!isManifest(manifest) || manifest.id !== id) return 'damaged';
  const { origin, ...rest } = manifest;
  const { locate, show } = pathLocator(state, origin, `rollback ${id}`);
  try {
    return { ...rest, files: withPaths(manifest.files, locate, show), unreachable: undefined };
  } catch (error) {
    // The backup is listed, and refused when it is to be brought back.
    if (error instanceof KubepkiError) return { ...rest, files: [], unreachable: error };
    throw error;
  }
}

/** @param show the same for the paths that are only for messages */
function withPaths<P, Q>(
  files: readonly WithPaths<P>[],
  convert: (path: P) => Q,
  show: (path: P) => Q,
): WithPaths<Q>[] {
  return files.map(({ path, resolvedPath, old }) => ({
    path: show(path),
    resolvedPath: convert(resolvedPath),
    old,
  }));
}

function isManifest(value: unknown): value is StoredManifest {
  if (!isRecord(value) || value['version'] !== 1 || !isSequence(value['sequence'])) return false;
  const { origin, files, certificates, restored } = value;
  return (
    isOrigin(origin) &&
    (restored === null || isPlace(restored)) &&
    ['id', 'time', 'command', 'user'].every((field) => isText(value[field])) &&
    Array.isArray(certificates) &&
    certificates.every(isCertificateRecord) &&
    Array.isArray(files) &&
    files.every(isFile)
  );
}

function isSequence(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= maxSequence;
}

function isPlace(value: unknown): value is ChangePlace {
  return isRecord(value) && isText(value['id']) && isSequence(value['sequence']);
}

function isCertificateRecord(value: unknown): value is CertificateRecord {
  // JSON has no undefined: a certificate that was not there is left out.
  const isFacts = (facts: unknown): boolean =>
    facts === undefined ||
    (isRecord(facts) && ['serial', 'fingerprint', 'notAfter'].every((field) => isText(facts[field])));
  return isRecord(value) && isText(value['name']) && isFacts(value['old']) && isFacts(value['new']);
}

function isFile(value: unknown): value is WithPaths<StoredPath> {
  if (!isRecord(value) || !isStoredPath(value['path']) || !isStoredPath(value['resolvedPath'])) return false;
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
