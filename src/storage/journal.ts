import { KubepkiError } from '../errors/error.ts';
import type { RegularFile } from '../filesystem/regular-file.ts';
import { removeIfThere, replaceDurably, syncDirectory } from './durable.ts';
import { backupId } from './manifest.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { commandHere, readOwn, type StateDirectory } from './state-directory.ts';
import {
  isOrigin,
  isStaged,
  isStoredPath,
  pathLocator,
  pathStore,
  type Origin,
  type StoredPath,
} from './stored-paths.ts';

/** One file of a change, with all that recovery needs to go forward or back. Host paths here, stored ones on disk. */
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
  readonly status: 'preparing' | 'committed';
  /** The backup's name. */
  readonly id: string;
  readonly command: string;
  readonly entries: readonly JournalEntry[];
  /** Those the change makes, outer ones first: they go again with it, unless something else is in them by then. */
  readonly directories: readonly string[];
}

type WithPaths<P> = Omit<Journal, 'entries' | 'directories'> & {
  readonly entries: readonly (Pick<JournalEntry, 'before' | 'after'> &
    Readonly<Record<'path' | 'resolvedPath' | 'stagedPath', P>>)[];
  readonly directories: readonly P[];
};

export type StoredJournal = WithPaths<StoredPath> & { readonly origin: Origin };

/** Throws what node:fs throws. */
export function writeJournal(state: StateDirectory, journal: Journal): void {
  const { origin, store } = pathStore(state, [
    ...journal.entries.flatMap(({ path, resolvedPath }) => [path, resolvedPath]),
    ...journal.directories,
  ]);
  const stored: StoredJournal = { ...withPaths(journal, store, store), origin };
  replaceDurably(state.journal, Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`));
}

/** @param show the same for the paths that are only for messages */
function withPaths<P, Q>(
  { version, status, id, command, entries, directories }: WithPaths<P>,
  convert: (path: P) => Q,
  show: (path: P) => Q,
): WithPaths<Q> {
  return {
    version,
    status,
    id,
    command,
    directories: directories.map(convert),
    entries: entries.map(({ path, resolvedPath, stagedPath, before, after }) => ({
      path: show(path),
      resolvedPath: convert(resolvedPath),
      stagedPath: convert(stagedPath),
      before,
      after,
    })),
  };
}

/** Throws what node:fs throws. */
export function dropJournal(state: StateDirectory): void {
  removeIfThere(state.journal);
  removeIfThere(`${state.journal}.new`);
  syncDirectory(state.path);
}

/**
 * @returns undefined when no change was interrupted
 * @throws KubepkiError unfinished when it cannot be understood
 */
export function readJournal(state: StateDirectory): StoredJournal | undefined {
  const file = readJournalFile(state);
  if (file === undefined) return undefined;
  const value = parseJson(file.bytes);
  if (!isJournal(value)) throw unusable(state, 'is not a journal of this version of kubepki');
  return value;
}

/** @throws KubepkiError unfinished for a path that cannot be reached from here */
export function locateJournal(state: StateDirectory, stored: StoredJournal): Journal {
  const { locate, show } = pathLocator(state, stored.origin);
  return withPaths(stored, locate, show);
}

function readJournalFile(state: StateDirectory): RegularFile | undefined {
  try {
    return readOwn(state.journal);
  } catch (error) {
    const strange = error instanceof KubepkiError && ['not-a-file', 'too-large'].includes(error.code);
    // A symlink, say: none of ours, and never followed. `--discard` removes the link itself.
    throw strange ? unusable(state, error.message) : error;
  }
}

function unusable(state: StateDirectory, message: string): KubepkiError {
  return new KubepkiError('unfinished', message, {
    file: state.journal,
    hint: `check the certificates (${commandHere(state, 'check-expiration')}), then: ${commandHere(state, 'recover --discard')}`,
  });
}

function isJournal(value: unknown): value is StoredJournal {
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['entries'])) return false;
  const known = value['status'] === 'preparing' || value['status'] === 'committed';
  const named = isText(value['id']) && backupId.test(value['id']);
  return (
    known &&
    named &&
    isOrigin(value['origin']) &&
    isText(value['command']) &&
    Array.isArray(value['directories']) &&
    value['directories'].every(isStoredPath) &&
    value['entries'].every(isEntry)
  );
}

function isEntry(value: unknown): value is StoredJournal['entries'][number] {
  if (!isRecord(value)) return false;
  const { path, resolvedPath, before, after, stagedPath } = value;
  const digests = [before, after].every((one) => one === null || isText(one));
  return digests && isStoredPath(path) && isStaged(stagedPath, resolvedPath);
}
