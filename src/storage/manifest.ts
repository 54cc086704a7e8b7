import { join } from 'node:path';
import type { CertificateFacts, CertificateRecord } from '../changeset/change-set.ts';
import type { ChangePlace, PastChange } from '../changeset/past-change.ts';
import { KubepkiError } from '../errors/error.ts';
import { createDurably } from './durable.ts';
import {
  deferred,
  list,
  location,
  matching,
  nullable,
  numberIn,
  object,
  optional,
  readRecord,
  recordBytes,
  shownLocation,
  text,
} from './record.ts';
import type { StateDirectory } from './state-directory.ts';

/** A manifest beside the old files says who changed what. */
export interface Occasion {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** The command line, without the program's path. */
  readonly command: string;
  readonly user: string;
  readonly certificates: readonly CertificateRecord[];
  /** The backup that was brought back; null: the change is no rollback. */
  readonly restored: ChangePlace | null;
  /** The stage of a rotation that it brought the node to. The command line may name flags before it, or a file. */
  readonly stage?: string | undefined;
}

/** A file of the change. Its paths are host paths here, and stored ones on disk. */
export interface BackupFile {
  /** The path that messages name. */
  readonly path: string;
  readonly resolvedPath: string;
  /** What the change replaced; null: there was no file, and going back removes it. */
  readonly old: OldFile | null;
  /** SHA-256 of what the change wrote into a user's own file: what its owner has made of it since stays. */
  readonly written?: string;
}

interface OldFile {
  /** File name in the backup. */
  readonly name: string;
  readonly sha256: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface BackupManifest extends Occasion, PastChange {
  readonly restored: ChangePlace | null;
  readonly files: readonly BackupFile[];
  /** Why it cannot be brought back from here; it names no files then. */
  readonly unreachable: KubepkiError | undefined;
}

export const manifestName = 'manifest.json';

/** The names that we give to backups: the time, then chance. */
export const backupId = /^\d{4}-\d\d-\d\dT\d{6}\.\d{3}Z-[0-9a-f]{6}$/;

/** More changes than a node ever sees. A manifest with a number beyond it was not written by us. */
export const maxSequence = 1_000_000_000;

const sequence = numberIn(1, maxSequence);
const integer = numberIn(-Infinity, Infinity);
const place = object<ChangePlace>({ id: text, sequence });
const facts = optional(object<CertificateFacts>({ serial: text, fingerprint: text, notAfter: text }));
const oldFile = object<OldFile>({
  name: matching(/^\d+$/),
  sha256: text,
  mode: integer,
  uid: integer,
  gid: integer,
});

const manifestRecord = object<
  Omit<BackupManifest, 'files' | 'unreachable'> & { readonly files: () => BackupManifest['files'] }
>({
  id: text,
  sequence,
  time: text,
  command: text,
  user: text,
  restored: nullable(place),
  stage: optional(text),
  certificates: list(object<CertificateRecord>({ name: text, old: facts, new: facts })),
  files: deferred(
    list(
      object<BackupFile>({
        path: shownLocation,
        resolvedPath: location,
        old: nullable(oldFile),
        written: optional(text),
      }),
    ),
  ),
});

/** Throws what node:fs throws. */
export function writeManifest(state: StateDirectory, manifest: Omit<BackupManifest, 'unreachable'>): void {
  const record = { ...manifest, files: () => manifest.files };
  createDurably(join(state.backups, manifest.id, manifestName), recordBytes(state, manifestRecord, record), {
    mode: 0o600,
    owner: undefined,
  });
}

/**
 * @returns undefined when there is none: the backup is not complete; an error where it is not one that we have written
 * @throws KubepkiError no-permission, io
 */
export function readManifest(state: StateDirectory, id: string): BackupManifest | KubepkiError | undefined {
  const file = join(state.backups, id, manifestName);
  const damaged = { code: 'no-backup', problem: 'is not a manifest of this version of kubepki' } as const;
  const record = readRecord(state, file, manifestRecord, damaged);
  if (record === undefined || record instanceof KubepkiError) return record;
  const { files, ...manifest } = record.locate(`rollback ${id}`);
  if (manifest.id !== id) return new KubepkiError(damaged.code, damaged.problem, { file });
  try {
    return { ...manifest, files: files(), unreachable: undefined };
  } catch (error) {
    // The backup is listed, and refused when it is to be brought back.
    if (error instanceof KubepkiError) return { ...manifest, files: [], unreachable: error };
    throw error;
  }
}
