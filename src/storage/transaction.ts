import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { readRegularFile, sha256, type FileFacts } from '../filesystem/regular-file.ts';
import type { ChangeSet, FileChange, FileTarget, SigningFiles } from '../changeset/change-set.ts';
import { createBackup, pruneBackups } from './backup.ts';
import { createDurably, stagedPathFor } from './durable.ts';
import { createDirectory, missingDirectories, requireDirectories } from './new-directories.ts';
import type { Occasion } from './manifest.ts';
import { writeJournal, type Journal, type JournalEntry } from './journal.ts';
import { isRotationFileThere } from './rotation-files.ts';
import { leftTo, putInPlace, settle, syncTargetDirectories, undo, type Resolution } from './recovery.ts';
import { requireSafeTargets } from './safe-targets.ts';
import {
  commandHere,
  createStateDirectory,
  isOfState,
  requireSoundStateDirectory,
  type StateDirectory,
} from './state-directory.ts';

/** Reads what a target will hold when the change is through: the staged file, or what is there and stays. */
export type ReadStaged = (target: FileTarget) => Buffer;

interface TransactionOptions {
  readonly occasion: Occasion;
  /** Throws when what was read back from disk is not what it should be; then nothing is changed. */
  readonly verify: (read: ReadStaged) => void;
  /** undefined: all old backups stay. */
  readonly keepBackups: number | undefined;
}

interface Finished {
  readonly warnings: readonly string[];
  /** Their paths. */
  readonly left: readonly string[];
}

/** Everything is staged, backed up and verified, and no target is touched: go on, or leave no trace. */
interface PreparedTransaction {
  /**
   * Passes the point of no return and makes the change, or takes it back.
   * @returns the backup's name, what went wrong afterwards without harm (old backups that could not be removed), and the users' own
   * files that their owners have changed in this moment
   * @throws KubepkiError io when it was taken back and nothing is changed; unfinished when it needs `recover`
   */
  finish(): Finished & { readonly backup: string };
  abort(): void;
}

/** The journal names what will change; nothing else is there yet. */
export interface OpenTransaction {
  /** The name that the backup will have. */
  readonly id: string;
  /**
   * Writes the new content of a target beside it, once those of the targets before it are written: whichever content is made
   * first, every run writes them in the same order, and an error names the same file. After `abort` nothing more is written.
   */
  stage(change: FileChange): void;
  /**
   * Prepares the commit when all is staged.
   * @throws KubepkiError conflict when a target is not what the change was made against; then nothing is changed
   */
  prepare(options: TransactionOptions): PreparedTransaction;
  /** Leaves no trace. Does nothing once it is prepared, or after an error of any of these. */
  abort(): void;
}

interface OpenOptions {
  readonly occasion: Pick<Occasion, 'time' | 'command'>;
  /** Make directories that the change needs and that are not there, with this mode; undefined: that is an error. */
  readonly newDirectoryMode?: 0o700 | 0o755;
  /** The CAs that the change relies on. */
  readonly signedBy?: readonly SigningFiles[];
}

/**
 * Begins a change of several files, all or none, of which the contents may still be made. Call it under the lock, with what
 * was read under the lock. Each step is synchronous, so that a fault can be injected at each.
 * @throws KubepkiError no-permission when another user's symlink leads to a target; then nothing is changed
 */
export function openTransaction(
  state: StateDirectory,
  targets: readonly FileTarget[],
  { occasion, newDirectoryMode, signedBy }: OpenOptions,
): OpenTransaction {
  const modeOfNew = (directory: string): number | undefined =>
    isOfState(state, directory) ? 0o700 : newDirectoryMode;
  requireSafeTargets(state.root, targets, signedBy);
  requireSoundDirectories(state, targets);
  // A directory that is not there when a change is recovered is one that cannot be reached.
  requireDirectories(targets, { mayMake: (directory) => modeOfNew(directory) !== undefined });
  createStateDirectory(state.path);
  const opened: Journal = {
    status: 'preparing',
    // The time first, so that names sort in the order of the changes.
    id: `${occasion.time.replaceAll(':', '')}-${randomBytes(3).toString('hex')}`,
    command: occasion.command,
    directories: missingDirectories(targets),
    // Until the journal says `committed`, recovery does not ask what will be in the files.
    entries: targets.map(({ path, resolvedPath, before, yields }) => ({
      path,
      resolvedPath,
      before: before?.sha256 ?? null,
      after: null,
      stagedPath: stagedPathFor(resolvedPath),
      ...(yields === true ? { yields } : {}),
    })),
  };
  const arrived = new Map<FileTarget, FileChange>();
  let staged = 0;
  let closed = false;
  const attempt = <T>(step: () => T): T => {
    try {
      return step();
    } catch (error) {
      closed = true;
      return abortFor(error, state, opened);
    }
  };
  attempt(() => {
    record(state, opened);
    for (const directory of opened.directories) createDirectory(directory, modeOfNew(directory) ?? 0o700);
  });
  return {
    id: opened.id,
    stage: (change) => {
      if (closed) return;
      if (!targets.includes(change.target)) throw new TypeError('a change of a file that was not announced');
      arrived.set(change.target, change);
      attempt(() => {
        for (; ; staged += 1) {
          const [target, entry] = [targets[staged], opened.entries[staged]];
          const next = target && arrived.get(target);
          if (next === undefined || entry === undefined) return;
          stage(next, entry);
        }
      });
    },
    prepare: ({ occasion: whole, verify, keepBackups }) => {
      const changes = targets.map((target) => changeOf(arrived, target));
      const journal = { ...opened, entries: opened.entries.map(withContent(changes)) };
      attempt(() => {
        closed = true;
        flush(state, journal);
        // Only what was read is worth a backup.
        requireUnchanged(state, changes);
        createBackup(state, journal.id, whole, changes);
        verify((target) => readStaged(target, journal.entries));
        requireUnchanged(state, changes);
      });
      return {
        finish: () => ({ backup: journal.id, ...finish(state, changes, journal, keepBackups) }),
        abort: () => {
          abortOrThrow(state, journal);
        },
      };
    },
    abort: () => {
      if (closed) return;
      closed = true;
      abortOrThrow(state, opened);
    },
  };
}

/**
 * A change as far as it can be gone through without writing: what it would be refused for is refused. Whether there is
 * room and permission only writing shows.
 * @throws KubepkiError as the change would
 */
export function rehearse(
  state: StateDirectory,
  {
    changes,
    verify,
    newDirectoryMode,
    signedBy,
  }: { readonly changes: ChangeSet } & Pick<TransactionOptions, 'verify'> &
    Pick<OpenOptions, 'newDirectoryMode' | 'signedBy'>,
): void {
  requireSafeTargets(
    state.root,
    changes.map(({ target }) => target),
    signedBy,
  );
  for (const directory of [state.path, state.backups]) requireSoundStateDirectory(directory);
  const written = changes.filter(({ after }) => after !== undefined).map(({ target }) => target);
  requireSoundDirectories(state, written);
  requireDirectories(written, {
    mayMake: (directory) => newDirectoryMode !== undefined || isOfState(state, directory),
  });
  const contents = new Map(changes.map(({ target, after }) => [target.resolvedPath, after] as const));
  verify((target) => {
    const after = contents.get(target.resolvedPath);
    if (after !== undefined) return after.content;
    const stays = !contents.has(target.resolvedPath);
    return requireThere(stays ? readRegularFile(target.resolvedPath, target.path) : undefined, target);
  });
  requireUnchanged(state, changes);
}

/** What a change writes into our own directory is read as ours: so no other user may have had a hand in where it is. */
function requireSoundDirectories(state: StateDirectory, targets: readonly FileTarget[]): void {
  const directories = targets.map(({ resolvedPath }) => dirname(resolvedPath));
  for (const directory of new Set(directories)) {
    if (isOfState(state, directory)) requireSoundStateDirectory(directory);
  }
}

function changeOf(arrived: ReadonlyMap<FileTarget, FileChange>, target: FileTarget): FileChange {
  const change = arrived.get(target);
  if (change === undefined) throw new TypeError('a change was announced and not staged');
  return change;
}

function withContent(changes: ChangeSet): (entry: JournalEntry, index: number) => JournalEntry {
  return (entry, index) => {
    const after = changes[index]?.after;
    return { ...entry, after: after === undefined ? null : sha256(after.content) };
  };
}

function finish(
  state: StateDirectory,
  changes: ChangeSet,
  journal: Journal,
  keepBackups: number | undefined,
): Finished {
  const committed: Journal = { ...journal, status: 'committed' };
  try {
    // The point of no return: a crash before it leaves the old files, a crash after it is brought to an end.
    record(state, committed);
    // Flushing takes a while; once more, as close to the first rename as can be.
    requireUnchanged(state, changes);
  } catch (error) {
    // What cannot be removed may hold the committed journal: the next run would go forward, so it is not "nothing".
    if (abort(state, journal) !== undefined) throw halfWay(state, error);
    throw error;
  }
  let resolution: Resolution;
  try {
    resolution = putInPlace(state, committed);
  } catch (cause) {
    throw halfWay(state, cause);
  }
  if (resolution.outcome === 'back') {
    throw new KubepkiError(
      'io',
      `the new files could not be put in place, so the old ones were put back: ${resolution.reason}`,
    );
  }
  const left = leftTo(state, committed);
  const warnings = left.map(
    (path) => `${path}: stays as it is: it was changed meanwhile, or could not be replaced`,
  );
  try {
    settle(state, committed);
  } catch (error) {
    // Every new file is in its place, and what follows the change can follow. So this is no failure of it, and no decision is
    // needed either: the journal stays, and the next run that reads it finds nothing else to do than this.
    const { oneLine } = filesystemError(error, state.journal);
    warnings.push(`the change is made, but not tidied up after, which the next run does: ${oneLine}`);
  }
  try {
    // As long as CAs are being replaced, each backup is a way back.
    if (keepBackups !== undefined && !isRotationFileThere(state, 'plan.json')) {
      pruneBackups(state, keepBackups, journal.id);
    }
  } catch (error) {
    warnings.push(`old backups could not be removed: ${filesystemError(error, state.backups).oneLine}`);
  }
  return { warnings, left };
}

function halfWay(state: StateDirectory, cause: unknown): KubepkiError {
  const { code, oneLine, hint } = filesystemError(cause, state.journal);
  return new KubepkiError('unfinished', `the change stopped half-way: ${oneLine}`, {
    // The error for a file that another program wrote has its own hint.
    hint: code === 'unfinished' ? hint : `mend that, then: ${commandHere(state, 'recover')}`,
    cause,
  });
}

function abortOrThrow(state: StateDirectory, journal: Journal): void {
  const leftover = abort(state, journal);
  if (leftover !== undefined) throw leftover;
}

/** Removes what was prepared, and throws the error that was the reason. */
function abortFor(error: unknown, state: StateDirectory, journal: Journal): never {
  const leftover = abort(state, journal);
  if (leftover === undefined || !(error instanceof KubepkiError)) throw error;
  const { code, message, file, hint } = error;
  throw new KubepkiError(code, message, {
    file,
    hint: [hint, leftover.hint].filter((one) => one !== undefined).join('; '),
    cause: error,
  });
}

/** @returns an error when something could not be removed: the journal names it, and the next run removes it */
function abort(state: StateDirectory, journal: Journal): KubepkiError | undefined {
  try {
    undo(state, journal);
    return undefined;
  } catch (cause) {
    const { code, message, file } = filesystemError(cause, state.path);
    return new KubepkiError(code, message, {
      file,
      hint: `what was prepared could not be removed; then: ${commandHere(state, 'recover')}`,
      cause,
    });
  }
}

function record(state: StateDirectory, journal: Journal): void {
  onFile(state.journal, () => {
    writeJournal(state, journal);
  });
}

/** A staged file is on disk only when the name in its directory is. */
function flush(state: StateDirectory, journal: Journal): void {
  onFile(state.certDir, () => {
    syncTargetDirectories(journal.entries);
  });
}

function stage({ target, after }: FileChange, entry: JournalEntry): void {
  if (after === undefined) return;
  try {
    createDurably(entry.stagedPath, after.content, after);
  } catch (cause) {
    // A file at a staged name, which cannot be guessed, is not the target's fault.
    throw filesystemError(cause, errnoOf(cause) === 'EEXIST' ? entry.stagedPath : target.path);
  }
}

function readStaged(target: FileTarget, entries: readonly JournalEntry[]): Buffer {
  const entry = entries.find(({ resolvedPath }) => resolvedPath === target.resolvedPath);
  const file = readRegularFile(entry?.stagedPath ?? target.resolvedPath, target.path);
  return requireThere(file, target);
}

function requireThere(file: { readonly bytes: Buffer } | undefined, target: FileTarget): Buffer {
  if (file !== undefined) return file.bytes;
  throw new KubepkiError('verification', 'disappeared before it was read back', { file: target.path });
}

/** The replacement gets the owner that the file had, so the owner counts as well. */
function isAsItWas(now: FileFacts | undefined, before: FileFacts | undefined): boolean {
  return now?.sha256 === before?.sha256 && now?.uid === before?.uid && now?.gid === before?.gid;
}

/** kubeadm, or a person, may have renewed in the meantime: what we did not read we do not replace. */
function requireUnchanged({ root }: StateDirectory, changes: ChangeSet): void {
  for (const { target } of changes) {
    // A symlink put there or on the way since would lead the change elsewhere.
    const elsewhere = root.resolve(target.path) !== target.resolvedPath;
    const now = elsewhere ? undefined : readRegularFile(target.resolvedPath, target.path);
    if (!elsewhere && isAsItWas(now?.facts, target.before)) continue;
    throw new KubepkiError('conflict', 'was changed by somebody else in the meantime', {
      file: target.path,
      hint: 'run the command again',
    });
  }
}
