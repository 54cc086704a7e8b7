import { renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { readBackupFile, readManifest, removeBackup } from './backup.ts';
import { removeIfThere, syncDirectory, createDurably } from './durable.ts';
import { dropJournal, readJournal, type Journal, type JournalEntry } from './journal.ts';
import type { StateDirectory } from './state-directory.ts';

/**
 * What became of an interrupted change: `undone` before it touched anything, `completed`, or taken `back`. `none`: there
 * was none.
 */
export type Recovery =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'undone' | 'completed' | 'back'; readonly command: string };

/**
 * Brings an interrupted change to an end.
 * @throws KubepkiError unfinished when somebody else wrote to a target, or when neither way works; nothing is lost then
 */
export function recover(state: StateDirectory): Recovery {
  const journal = readJournal(state);
  if (journal === undefined) {
    removeHalfWritten(state);
    return { outcome: 'none' };
  }
  try {
    return {
      outcome: journal.status === 'preparing' ? undo(state, journal) : resolveCommitted(state, journal),
      command: journal.command,
    };
  } catch (cause) {
    if (cause instanceof KubepkiError && cause.code === 'unfinished') throw cause;
    throw stuck(state, cause);
  }
}

/** A run that was killed while it wrote its first journal has done nothing yet. */
function removeHalfWritten(state: StateDirectory): void {
  try {
    removeIfThere(`${state.journal}.new`);
  } catch (cause) {
    throw filesystemError(cause, state.journal);
  }
}

/** Gives a change up as it is: staged files and the journal go, targets and the backup stay. */
export function discard(state: StateDirectory): Recovery {
  let journal: Journal | undefined;
  try {
    journal = readJournal(state);
  } catch (error) {
    // A journal that cannot be understood names no staged files.
    if (!(error instanceof KubepkiError)) throw error;
  }
  try {
    for (const entry of journal?.entries ?? []) removeStaged(entry);
    dropJournal(state);
  } catch (cause) {
    throw stuck(state, cause);
  }
  return journal === undefined ? { outcome: 'none' } : { outcome: 'undone', command: journal.command };
}

/** Removes all traces of a change that has touched no target. Throws what node:fs throws. */
export function undo(state: StateDirectory, journal: Journal): 'undone' {
  journal.entries.forEach(removeStaged);
  removeBackup(state, journal.id);
  dropJournal(state);
  return 'undone';
}

/** Forward where everything needed is there; else, or when that fails, back. */
export function resolveCommitted(state: StateDirectory, journal: Journal): 'completed' | 'back' {
  const foreign = journal.entries.find((entry) => placeOf(entry) === 'foreign');
  if (foreign !== undefined) {
    throw new KubepkiError('unfinished', 'was changed by somebody else after a change was interrupted', {
      file: foreign.path,
      hint: `check it (kubepki certs check-expiration), then give the interrupted change up: kubepki certs recover --discard; the old files stay in ${state.backups}`,
    });
  }
  try {
    return forward(state, journal);
  } catch {
    return back(state, journal);
  }
}

function forward(state: StateDirectory, journal: Journal): 'completed' {
  const pending = journal.entries.filter((entry) => placeOf(entry) === 'old');
  for (const { stagedPath, after, path } of pending) {
    if (after !== null && digest(stagedPath, path) !== after) {
      throw new KubepkiError('unfinished', 'its new version is damaged or missing', { file: path });
    }
  }
  for (const { stagedPath, resolvedPath, after } of pending) {
    if (after === null) removeIfThere(resolvedPath);
    else renameSync(stagedPath, resolvedPath);
  }
  syncDirectories(journal);
  journal.entries.forEach(removeStaged);
  dropJournal(state);
  return 'completed';
}

function back(state: StateDirectory, journal: Journal): 'back' {
  const manifest = readManifest(state, journal.id);
  for (const entry of journal.entries.filter((one) => placeOf(one) === 'new')) {
    const file = manifest?.files.find(({ resolvedPath }) => resolvedPath === entry.resolvedPath);
    if (file === undefined) throw new KubepkiError('unfinished', 'has no backup', { file: entry.path });
    const content = readBackupFile(state, journal.id, file);
    if (content === undefined || file.old === null) {
      removeIfThere(entry.resolvedPath);
      continue;
    }
    // Under the name the journal knows, so that a crash here leaves nothing unnamed.
    removeIfThere(entry.stagedPath);
    const { mode, uid, gid } = file.old;
    createDurably(entry.stagedPath, content, { mode, owner: { uid, gid } });
    renameSync(entry.stagedPath, entry.resolvedPath);
  }
  syncDirectories(journal);
  journal.entries.forEach(removeStaged);
  // The backup goes last: until the journal is dropped, it may be needed again.
  dropJournal(state);
  removeBackup(state, journal.id);
  return 'back';
}

function placeOf(entry: JournalEntry): 'old' | 'new' | 'foreign' {
  const now = digest(entry.resolvedPath, entry.path);
  if (now === entry.after) return 'new';
  return now === entry.before ? 'old' : 'foreign';
}

function digest(path: string, shownPath: string): string | null {
  return readRegularFile(path, shownPath)?.sha256 ?? null;
}

function removeStaged({ stagedPath }: JournalEntry): void {
  removeIfThere(stagedPath);
}

function syncDirectories(journal: Journal): void {
  for (const directory of new Set(journal.entries.map(({ resolvedPath }) => dirname(resolvedPath)))) {
    syncDirectory(directory);
  }
}

function stuck(state: StateDirectory, cause: unknown): KubepkiError {
  const { line } = filesystemError(cause, state.journal);
  return new KubepkiError(
    'unfinished',
    `a change was interrupted and could not be brought to an end: ${line}`,
    {
      hint: 'mend that, then: kubepki certs recover',
      cause,
    },
  );
}
