import { KubepkiError } from '../errors/error.ts';
import { backupId } from './manifest.ts';
import {
  dropRecord,
  flag,
  isStaged,
  list,
  location,
  matching,
  nullable,
  object,
  oneOf,
  optional,
  readRecord,
  shownLocation,
  text,
  writeRecord,
  type StoredRecord,
} from './record.ts';
import { commandHere, type StateDirectory } from './state-directory.ts';

/** One file of a change, with all that recovery needs to go forward or back. Host paths here, stored ones on disk. */
export interface JournalEntry {
  /** The path that messages name. */
  readonly path: string;
  readonly resolvedPath: string;
  /** SHA-256, hex; null: no file. */
  readonly before: string | null;
  readonly after: string | null;
  /** The new file beside its target; or the old one on its way back. */
  readonly stagedPath: string;
  /** A user's own file: what its owner has made of it meanwhile stays. */
  readonly yields?: true;
}

/**
 * `preparing`: files may be staged, no target was touched. `committed`: the point of no return is passed, targets are
 * old or new.
 */
export interface Journal {
  readonly status: 'preparing' | 'committed';
  /** The backup's name. */
  readonly id: string;
  readonly command: string;
  readonly entries: readonly JournalEntry[];
  /** The change makes these, outer ones first. They go again with it, unless they hold other files by then. */
  readonly directories: readonly string[];
}

const entry = object<JournalEntry>(
  {
    path: shownLocation,
    resolvedPath: location,
    before: nullable(text),
    after: nullable(text),
    stagedPath: location,
    yields: optional(flag),
  },
  ({ stagedPath, resolvedPath }) => isStaged(stagedPath, resolvedPath),
);

const journalRecord = object<Journal>({
  status: oneOf('preparing', 'committed'),
  id: matching(backupId),
  command: text,
  entries: list(entry),
  directories: list(location),
});

/** Throws what node:fs throws. */
export function writeJournal(state: StateDirectory, journal: Journal): void {
  writeRecord(state, state.journal, journalRecord, journal);
}

/** Throws what node:fs throws. */
export function dropJournal(state: StateDirectory): void {
  dropRecord(state.journal);
}

/**
 * @returns undefined when no change was interrupted
 * @throws KubepkiError unfinished when it cannot be understood
 */
export function readJournal(state: StateDirectory): StoredRecord<Journal> | undefined {
  // Where it is a symlink, say, which is never followed, `--discard` removes the link itself.
  const record = readRecord(state, state.journal, journalRecord, {
    code: 'unfinished',
    problem: 'is not a journal of this version of kubepki',
    hint: `check the certificates (${commandHere(state, 'check-expiration')}), then: ${commandHere(state, 'recover --discard')}`,
  });
  if (record instanceof KubepkiError) throw record;
  return record;
}
