import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { errnoOf, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile } from '../filesystem/regular-file.ts';
import { readBackupFile, removeBackup, removeIncompleteBackups } from './backup.ts';
import { createDurably, isStagedName, removeIfThere, rename, syncDirectory } from './durable.ts';
import { readManifest, type BackupFile } from './manifest.ts';
import { dropJournal, readJournal, type Journal, type JournalEntry } from './journal.ts';
import { removeEmpty } from './new-directories.ts';
import { removeHalfWritten } from './record.ts';
import { removeHalfWrittenKeys } from './requested-keys.ts';
import { commandHere, isOfState, removeIfEmpty, type StateDirectory } from './state-directory.ts';

/**
 * What becomes of an interrupted change: it is `undone` before it has touched anything, `completed`, or taken `back` for a reason.
 * `none`: there is no such change.
 */
export type Recovery =
  | { readonly outcome: 'none' }
  | ({ readonly command: string; readonly files: readonly string[] } & Resolution);

export type Resolution =
  { readonly outcome: 'undone' | 'completed' } | { readonly outcome: 'back'; readonly reason: string };

// A rename that fails for once (a flaky disk) must not take a change back that only lacks this rename.
const renameAttempts = 3;

/**
 * What {@link recover} will do, from what is on disk now. Changes nothing.
 * @throws KubepkiError unfinished when another program wrote to a target, or when the journal cannot be
 * understood
 */
export function inspectRecovery(state: StateDirectory): Recovery {
  const journal = journalToResolve(state);
  if (journal === undefined) return { outcome: 'none' };
  return unlessStuck(state, () =>
    said(journal, journal.status === 'preparing' ? { outcome: 'undone' } : directionOf(state, journal)),
  );
}

/**
 * Brings an interrupted change to an end.
 * @throws KubepkiError unfinished when another program wrote to a target, or when neither way works; nothing
 * is lost then
 */
export function recover(state: StateDirectory): Recovery {
  const journal = journalToResolve(state);
  const recovery =
    journal === undefined
      ? ({ outcome: 'none' } as const)
      : unlessStuck(state, () => {
          // A journal that is seen is not yet on disk: its run may have been killed before it flushed the directory.
          syncDirectory(state.path);
          return said(
            journal,
            journal.status === 'preparing' ? undo(state, journal) : resolveCommitted(state, journal),
          );
        });
  removeHalfDone(state);
  return recovery;
}

/** @throws KubepkiError unfinished when it cannot be understood, or names a path that cannot be reached from here */
function journalToResolve(state: StateDirectory): Journal | undefined {
  const stored = readJournal(state);
  if (stored === undefined) return undefined;
  const journal = stored.locate();
  for (const { path, resolvedPath } of journal.entries.filter((one) => one.yields !== true)) {
    const directory = dirname(resolvedPath);
    // Our own go when they are empty, and are there to be made again.
    const comesAndGoes = journal.directories.includes(directory) || isOfState(state, directory);
    if (comesAndGoes || exists(directory, path)) continue;
    // The directory was there before the change was begun.
    throw new KubepkiError('unfinished', 'cannot be reached: its directory is not there', {
      file: path,
      hint: `mount it, then: ${commandHere(state, 'recover')}; where it is gone for good, give the interrupted change up: ${commandHere(state, 'recover --discard')}`,
    });
  }
  return journal;
}

/**
 * Removes what no journal tells of: traces of a run that was killed while it wrote its first journal, or
 * removed an old backup.
 */
function removeHalfDone(state: StateDirectory): void {
  onFile(state.journal, () => {
    removeHalfWritten(state.journal);
    removeHalfWrittenKeys(state);
  });
  removeIncompleteBackups(state);
}

/** What {@link discard} will give up. Changes nothing. */
export function inspectDiscard(state: StateDirectory): Recovery {
  const journal = journalToDiscard(state);
  switch (journal) {
    case undefined:
      return { outcome: 'none' };
    case 'not understood':
      return { outcome: 'undone', command: `what ${state.journal} stood for`, files: [] };
    default:
      return said(journal, { outcome: 'undone' });
  }
}

/**
 * Gives a change up as it is: staged files and the journal go, targets and the backup stay.
 * @throws KubepkiError unfinished when a directory in which files are staged cannot be reached from here
 */
export function discard(state: StateDirectory): Recovery {
  const discarded = inspectDiscard(state);
  const journal = journalToDiscard(state);
  return unlessStuck(state, () => {
    if (journal === 'not understood') removeAnyStaged(state);
    if (typeof journal === 'object') settle(state, journal);
    else dropJournal(state);
    return discarded;
  });
}

function journalToDiscard(state: StateDirectory): Journal | 'not understood' | undefined {
  let stored: ReturnType<typeof readJournal>;
  try {
    stored = readJournal(state);
  } catch (error) {
    if (error instanceof KubepkiError && error.code === 'unfinished') return 'not understood';
    throw error;
  }
  try {
    return stored?.locate();
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    const { message, file, hint } = error;
    // Without the journal nothing would know the names of the staged files, and private keys would stay in them for ever.
    throw new KubepkiError('unfinished', message, {
      file,
      hint: `${hint ?? ''}; where that is gone for good: rm ${shellWord(state.journal)}`,
      cause: error,
    });
  }
}

/** Removes all traces of a change that has touched no target. Throws what node:fs throws. */
export function undo(state: StateDirectory, journal: Journal): Resolution {
  removeStaged(journal);
  removeEmpty(journal.directories);
  removeBackup(state, journal.id);
  dropJournal(state);
  return { outcome: 'undone' };
}

/** Brings what is committed to its end, and leaves no trace of it. */
function resolveCommitted(state: StateDirectory, journal: Journal): Resolution {
  const resolution = putInPlace(state, journal);
  if (resolution.outcome === 'completed') settle(state, journal);
  return resolution;
}

/**
 * Forward where everything needed is there; else, or when renames keep failing, back. Once every new file is in place
 * there is no way back: what is left is tidying up ({@link settle}).
 */
export function putInPlace(state: StateDirectory, journal: Journal): Resolution {
  const direction = directionOf(state, journal);
  if (direction.outcome === 'back') return back(state, journal, direction.reason);
  for (let attempt = 1; ; attempt += 1) {
    try {
      for (const entry of journal.entries) moveForward(state, entry);
      return { outcome: 'completed' };
    } catch (cause) {
      if (cause instanceof KubepkiError && cause.code === 'unfinished') throw cause;
      if (attempt === renameAttempts) return back(state, journal, filesystemError(cause, state.path).oneLine);
    }
  }
}

/** @throws KubepkiError unfinished when a target is neither old nor new */
function directionOf(state: StateDirectory, journal: Journal): Resolution {
  const places = journal.entries.map((entry) => [entry, placeOf(state, entry)] as const);
  const foreign = places.find(([, place]) => place === 'foreign');
  if (foreign !== undefined) throw changedBySomebodyElse(state, foreign[0]);
  const lost = places.find(([entry, place]) => place === 'old' && entry.yields !== true && !isStaged(entry));
  if (lost === undefined) return { outcome: 'completed' };
  return { outcome: 'back', reason: `${lost[0].path}: its new version is damaged or missing` };
}

function isStaged({ stagedPath, after }: JournalEntry): boolean {
  try {
    return after === null || digest(stagedPath, stagedPath) === after;
  } catch (error) {
    // A symlink or a directory in its place is not our file, and is not looked into.
    if (error instanceof KubepkiError && ['not-a-file', 'too-large'].includes(error.code)) return false;
    throw error;
  }
}

function moveForward(state: StateDirectory, entry: JournalEntry): void {
  // The target is looked at once more, right before the rename: what another program wrote a moment ago is
  // not replaced.
  const place = placeOf(state, entry);
  if (place === 'new' || place === 'theirs') return;
  if (place === 'foreign') throw changedBySomebodyElse(state, entry);
  yielding(entry, () => {
    if (entry.yields === true && !isStaged(entry)) return;
    onFile(entry.path, () => {
      if (entry.after === null) removeIfThere(entry.resolvedPath);
      else rename(entry.stagedPath, entry.resolvedPath);
    });
  });
}

function back(state: StateDirectory, journal: Journal, reason: string): Resolution {
  const manifest = readManifest(state, journal.id);
  const files = manifest === undefined || manifest instanceof KubepkiError ? [] : manifest.files;
  for (const entry of journal.entries.filter((one) => placeOf(state, one) === 'new')) {
    yielding(entry, () => {
      putBack(state, journal, entry, files);
    });
  }
  syncTargetDirectories(journal.entries);
  // Every target is old, and on disk: the change has left nothing but traces.
  undo(state, journal);
  return { outcome: 'back', reason };
}

function putBack(
  state: StateDirectory,
  { id }: Journal,
  { path, resolvedPath, stagedPath }: JournalEntry,
  files: readonly BackupFile[],
): void {
  const file = files.find((one) => one.resolvedPath === resolvedPath);
  if (file === undefined) throw new KubepkiError('unfinished', 'has no backup', { file: path });
  const content = readBackupFile(state, id, file);
  if (content === undefined || file.old === null) {
    removeIfThere(resolvedPath);
    return;
  }
  // It is written under the name that the journal knows: a crash here leaves no file that nothing names.
  removeIfThere(stagedPath);
  const { mode, uid, gid } = file.old;
  createDurably(stagedPath, content, { mode, owner: { uid, gid } });
  rename(stagedPath, resolvedPath);
}

/** Whatever the owner of a user's own file has done to it, or to the directories around it, the rest comes to its end. */
function yielding({ yields }: JournalEntry, act: () => void): void {
  try {
    act();
  } catch (error) {
    const isOfFile = error instanceof KubepkiError || errnoOf(error) !== undefined;
    if (yields !== true || !isOfFile) throw error;
  }
}

/**
 * Ends a change whose targets are as they shall be. The journal goes only when the targets, and the absence of the staged files
 * that it names, are on disk. Throws what node:fs throws.
 */
export function settle(state: StateDirectory, journal: Journal): void {
  removeStaged(journal);
  inEachDirectory(journal.entries, (directory) => {
    if (isOfState(state, directory)) removeIfEmpty(directory);
  });
  dropJournal(state);
}

/** The users' own files that do not hold, or no longer, what the change was to give them. */
export function leftTo(state: StateDirectory, { entries }: Journal): string[] {
  return entries
    .filter((entry) => entry.yields === true && placeOf(state, entry) !== 'new')
    .map(({ path }) => path);
}

/** `theirs`: a user's own file, which its owner has changed. */
function placeOf(state: StateDirectory, entry: JournalEntry): 'old' | 'new' | 'foreign' | 'theirs' {
  let place: ReturnType<typeof placeNow> | undefined;
  yielding(entry, () => {
    place = placeNow(state, entry);
  });
  return place === undefined || (place === 'foreign' && entry.yields === true) ? 'theirs' : place;
}

function placeNow(state: StateDirectory, entry: JournalEntry): 'old' | 'new' | 'foreign' {
  // A symlink that has been put there since is a change of more than the content.
  if (state.root.resolve(entry.resolvedPath) !== entry.resolvedPath) return 'foreign';
  const now = digest(entry.resolvedPath, entry.path);
  if (now === entry.after) return 'new';
  return now === entry.before ? 'old' : 'foreign';
}

function digest(path: string, shownPath: string): string | null {
  return readRegularFile(path, shownPath)?.facts.sha256 ?? null;
}

/** Only the journal knows the names of the staged files: so they are gone from the disk before the journal is. */
function removeStaged({ entries }: Journal): void {
  for (const entry of entries) {
    yielding(entry, () => {
      removeIfThere(entry.stagedPath);
    });
  }
  inEachDirectory(entries, (directory) => {
    // A directory that is not there holds no names; a link may lead into it.
    if (exists(directory, directory)) syncDirectory(directory);
  });
}

/** A journal that cannot be understood does not tell the names of the staged files, but all of them have one form. */
function removeAnyStaged(state: StateDirectory): void {
  const certDirs = [state.certDir, ...[state.certDir, state.path].flatMap(directoriesIn)];
  for (const directory of new Set([...certDirs, state.root.resolve(state.kubeconfigDir)])) {
    if (!exists(directory, directory)) continue;
    const staged = readdirSync(directory, { withFileTypes: true }).filter(
      (entry) => entry.isFile() && isStagedName(entry.name),
    );
    for (const { name } of staged) removeIfThere(join(directory, name));
    syncDirectory(directory);
  }
}

function directoriesIn(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(directory, name));
}

/** Flushes every directory that holds a target, and with it the staged file beside it. Throws what node:fs throws. */
export function syncTargetDirectories(entries: readonly JournalEntry[]): void {
  inEachDirectory(entries, syncDirectory);
}

function inEachDirectory(entries: readonly JournalEntry[], act: (directory: string) => void): void {
  const done = new Set<string>();
  // Where a user's own file is beside others, it is they who count.
  const inOrder = [...entries].sort(
    (one, other) => Number(one.yields ?? false) - Number(other.yields ?? false),
  );
  for (const entry of inOrder) {
    const directory = dirname(entry.resolvedPath);
    if (done.has(directory)) continue;
    done.add(directory);
    yielding(entry, () => {
      act(directory);
    });
  }
}

function said(
  { command, entries }: Journal,
  resolution: Resolution,
): Exclude<Recovery, { readonly outcome: 'none' }> {
  return { ...resolution, command, files: entries.map(({ path }) => path) };
}

function changedBySomebodyElse(state: StateDirectory, { path }: JournalEntry): KubepkiError {
  return new KubepkiError('unfinished', 'was changed by somebody else after a change was interrupted', {
    file: path,
    hint: `check it (${commandHere(state, 'check-expiration')}), then give the interrupted change up: ${commandHere(state, 'recover --discard')}; the old files stay in ${state.backups}`,
  });
}

function unlessStuck(state: StateDirectory, act: () => Recovery): Recovery {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof KubepkiError && cause.code === 'unfinished') throw cause;
    const { oneLine } = filesystemError(cause, state.journal);
    throw new KubepkiError(
      'unfinished',
      `a change was interrupted and could not be brought to an end: ${oneLine}`,
      { hint: `mend that, then: ${commandHere(state, 'recover')}`, cause },
    );
  }
}
