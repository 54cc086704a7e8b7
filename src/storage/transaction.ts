import { randomBytes } from 'node:crypto';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile, sha256 } from '../filesystem/regular-file.ts';
import type { ChangeSet, FileTarget } from '../changeset/change-set.ts';
import { createBackup, pruneBackups, type Occasion } from './backup.ts';
import { createDurably } from './durable.ts';
import { readJournal, writeJournal, type Journal, type JournalEntry } from './journal.ts';
import { resolveCommitted, undo } from './recovery.ts';
import { stagedPathFor } from './staged-file.ts';
import { createStateDirectory, type StateDirectory } from './state-directory.ts';

/** Reads what a target will hold when the change is through: the staged file, or what is there and stays. */
export type ReadStaged = (target: FileTarget) => Buffer;

export interface TransactionOptions {
  readonly occasion: Occasion;
  /** Throws when what was read back from disk is not what it should be; then nothing is changed. */
  readonly verify: (read: ReadStaged) => void;
  readonly keepBackups: number;
}

/** Everything is staged, backed up and verified, and no target is touched: go on, or leave no trace. */
export interface PreparedTransaction {
  /**
   * Passes the point of no return and makes the change, or takes it back.
   * @returns the backup's name, and what went wrong afterwards without harm (old backups that could not be removed)
   * @throws KubepkiError io when it was taken back and nothing is changed; unfinished when it needs `recover`
   */
  finish(): { readonly backup: string; readonly warnings: readonly string[] };
  abort(): void;
}

/**
 * Prepares a change of several files, all or none. Call it under the lock, with a ChangeSet made from what was read
 * under the lock. Synchronous throughout, so that a fault can be injected at each step.
 * @throws KubepkiError conflict when a target is not what the change was made against; then nothing is changed
 */
export function prepareTransaction(
  state: StateDirectory,
  changes: ChangeSet,
  { occasion, verify, keepBackups }: TransactionOptions,
): PreparedTransaction {
  requireDistinct(changes);
  const journal: Journal = {
    version: 1,
    stateDirectory: state.path,
    status: 'preparing',
    // The time first, so that names sort in the order of the changes.
    id: `${occasion.time.replaceAll(':', '')}-${randomBytes(3).toString('hex')}`,
    command: occasion.command,
    entries: changes.map(({ target, after }) => ({
      path: target.path,
      resolvedPath: target.resolvedPath,
      before: target.before?.sha256 ?? null,
      after: after === undefined ? null : sha256(after.content),
      stagedPath: stagedPathFor(target.resolvedPath),
    })),
  };
  createStateDirectory(state.path);
  try {
    try {
      writeJournal(state, journal);
    } catch (cause) {
      throw filesystemError(cause, state.journal);
    }
    changes.forEach((change, index) => {
      stage(change, journal.entries[index]);
    });
    createBackup(state, journal.id, occasion, changes);
    verify((target) => readStaged(target, journal.entries));
    for (const { target } of changes) requireUnchanged(target);
  } catch (error) {
    abort(state, journal);
    throw error;
  }
  return {
    finish: () => ({ backup: journal.id, warnings: finish(state, journal, keepBackups) }),
    abort: () => {
      abort(state, journal);
    },
  };
}

function finish(state: StateDirectory, journal: Journal, keepBackups: number): string[] {
  const committed: Journal = { ...journal, status: 'committed' };
  try {
    // The point of no return: a crash before it leaves the old files, a crash after it is brought to an end.
    writeJournal(state, committed);
  } catch (cause) {
    abort(state, journal);
    throw filesystemError(cause, state.journal);
  }
  let outcome: ReturnType<typeof resolveCommitted>;
  try {
    outcome = resolveCommitted(state, committed);
  } catch (cause) {
    throw new KubepkiError(
      'unfinished',
      `the change stopped half-way: ${filesystemError(cause, state.journal).line}`,
      {
        hint: 'mend that, then: kubepki certs recover',
        cause,
      },
    );
  }
  if (outcome === 'back') {
    throw new KubepkiError(
      'io',
      'the new files could not be put in place, so the old ones were: nothing was changed',
    );
  }
  try {
    pruneBackups(state, keepBackups, journal.id);
    return [];
  } catch (error) {
    return [`old backups could not be removed: ${filesystemError(error, state.backups).line}`];
  }
}

/** Best effort: what cannot be removed now is named in the journal, and removed by the next run. */
function abort(state: StateDirectory, journal: Journal): void {
  try {
    undo(state, journal);
  } catch (cause) {
    if (readJournal(state) === undefined) throw filesystemError(cause, state.path);
  }
}

function stage({ target, after }: ChangeSet[number], entry: JournalEntry | undefined): void {
  if (after === undefined || entry === undefined) return;
  try {
    createDurably(entry.stagedPath, after.content, after);
  } catch (cause) {
    throw filesystemError(cause, target.path);
  }
}

function readStaged(target: FileTarget, entries: readonly JournalEntry[]): Buffer {
  const entry = entries.find(({ resolvedPath }) => resolvedPath === target.resolvedPath);
  const file = readRegularFile(entry?.stagedPath ?? target.resolvedPath, target.path);
  if (file !== undefined) return file.bytes;
  throw new KubepkiError('verification', 'disappeared before it was read back', { file: target.path });
}

/** kubeadm, or a person, may have renewed in the meantime: what we did not read we do not replace. */
function requireUnchanged(target: FileTarget): void {
  const now = readRegularFile(target.resolvedPath, target.path);
  if (now?.sha256 === target.before?.sha256) return;
  throw new KubepkiError('conflict', 'was changed by somebody else in the meantime', {
    file: target.path,
    hint: 'run the command again',
  });
}

function requireDistinct(changes: ChangeSet): void {
  const seen = new Map<string, string>();
  for (const { target } of changes) {
    const other = seen.get(target.resolvedPath);
    if (other !== undefined) {
      throw new KubepkiError('conflict', `is the same file as ${other}, and both would be written`, {
        file: target.path,
        hint: 'give each its own file, or renew them one by one',
      });
    }
    seen.set(target.resolvedPath, target.path);
  }
}
