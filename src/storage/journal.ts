import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { removeIfThere, replaceDurably, syncDirectory } from './durable.ts';
import { backupId } from './backup.ts';
import { isStagedPath } from './staged-file.ts';
import type { StateDirectory } from './state-directory.ts';

/** One file of a change, with all that recovery needs to go forward or back. */
export interface JournalEntry {
  /** For messages. */
  readonly path: string;
  readonly resolvedPath: string;
  /** SHA-256, hex; null: no file. */
  readonly before: string | null;
  readonly after: string | null;
  /** The new file beside its target; or the old one on its way back. */
  readonly stagedPath: string;
}

/**
 * `preparing`: files may be staged, no target was touched. `committed`: the point of no return is passed, targets are
 * old or new.
 */
export interface Journal {
  readonly version: 1;
  /** Where it was written: in a copy of the directory, its paths would lead to the original. */
  readonly stateDirectory: string;
  readonly status: 'preparing' | 'committed';
  /** The backup's name. */
  readonly id: string;
  readonly command: string;
  readonly entries: readonly JournalEntry[];
}

/** @throws what node:fs throws */
export function writeJournal(state: StateDirectory, journal: Journal): void {
  replaceDurably(state.journal, Buffer.from(`${JSON.stringify(journal, undefined, 2)}\n`));
}

/** @throws what node:fs throws */
export function dropJournal(state: StateDirectory): void {
  removeIfThere(state.journal);
  removeIfThere(`${state.journal}.new`);
  syncDirectory(state.path);
}

/**
 * @returns undefined when no change was interrupted
 * @throws KubepkiError unfinished when it cannot be understood
 */
export function readJournal(state: StateDirectory): Journal | undefined {
  const file = readRegularFile(state.journal, state.journal);
  if (file === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(file.bytes.toString('utf8'));
  } catch {
    value = undefined;
  }
  if (isJournal(value)) {
    if (value.stateDirectory === state.path) return value;
    throw new KubepkiError(
      'unfinished',
      `was written in ${value.stateDirectory}: this directory is a copy of that one`,
      {
        file: state.journal,
        hint: 'check the certificates (kubepki certs check-expiration), then: kubepki certs recover --discard',
      },
    );
  }
  throw new KubepkiError('unfinished', 'is not a journal of this version of kubepki', {
    file: state.journal,
    hint: 'check the certificates (kubepki certs check-expiration), then: kubepki certs recover --discard',
  });
}

function isJournal(value: unknown): value is Journal {
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['entries'])) return false;
  const known = value['status'] === 'preparing' || value['status'] === 'committed';
  const named = isText(value['id']) && backupId.test(value['id']);
  return (
    known &&
    named &&
    isText(value['stateDirectory']) &&
    isText(value['command']) &&
    value['entries'].every(isEntry)
  );
}

function isEntry(value: unknown): value is JournalEntry {
  if (!isRecord(value)) return false;
  const { path, resolvedPath, before, after, stagedPath } = value;
  const digests = [before, after].every((one) => one === null || isText(one));
  const named = isText(path) && isText(resolvedPath) && isText(stagedPath);
  return digests && named && isStagedPath(stagedPath, resolvedPath);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Turns what node:fs threw on our own files into an error that names them. */
export function journalError(cause: unknown, state: StateDirectory): KubepkiError {
  return filesystemError(cause, state.journal);
}
