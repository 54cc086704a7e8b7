import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile, type RegularFile } from '../filesystem/regular-file.ts';
import { isOutOfReach } from '../filesystem/owner.ts';
import {
  asideDirectory,
  asideJournalPath,
  dropAsideJournal,
  readAsideJournal,
  writeAsideJournal,
  type AsideJournal,
} from './aside-journal.ts';
import { createDurably, removeIfThere, stagedPathFor, syncDirectory, syncFile } from './durable.ts';
import { removeHalfWritten } from './record.ts';
import {
  commandHere,
  createStateDirectory,
  isStill,
  removeIfEmpty,
  type StateDirectory,
} from './state-directory.ts';

/**
 * What became of a manifest that was away. `in-place`: it had never left, or an operator had put it back. `kept`: another manifest
 * had been put in its place, and stays. `given-up`: `recover --discard` was to. `none`: no manifest was away.
 */
export type Return =
  | { readonly outcome: 'none' }
  | { readonly outcome: 'back' | 'in-place' | 'given-up'; readonly path: string; readonly command: string }
  | { readonly outcome: 'kept'; readonly path: string; readonly command: string; readonly keptAs: string };

interface Manifest {
  readonly path: string;
  /** SHA-256 of what was read when it was decided to take it away, hex. */
  readonly sha256: string;
}

/**
 * Takes the manifest of a static pod away from the directory that the kubelet watches, so that the kubelet stops the pod.
 * At every moment it is complete on disk at one of two places, and a journal says where it belongs: after a crash
 * {@link moveBack} puts it back. Call it under the lock.
 * @param command the command line, for messages
 * @returns what the journal says
 * @throws KubepkiError conflict when it is not what was read; then nothing has changed
 */
export function moveAside(state: StateDirectory, { path, sha256 }: Manifest, command: string): AsideJournal {
  const resolvedPath = join(state.root.resolve(dirname(path)), basename(path));
  const journal: AsideJournal = {
    command,
    path,
    resolvedPath,
    sha256,
    asidePath: join(asideDirectory(state), basename(path)),
    stagedPath: stagedPathFor(resolvedPath),
  };
  requireUnchanged(state, journal);
  createStateDirectory(state.path);
  createStateDirectory(asideDirectory(state));
  try {
    requireFree(journal);
    writeAsideJournal(state, journal);
    copyAside(state, journal);
    // Once more, as close to the removal as can be: what an editor has put there since is not removed.
    requireUnchanged(state, journal);
    unlinkSync(resolvedPath);
    syncDirectory(dirname(resolvedPath));
    return journal;
  } catch (error) {
    moveBack(state, journal);
    throw filesystemError(error, path);
  }
}

function requireUnchanged(
  { root }: StateDirectory,
  { path, resolvedPath, sha256 }: AsideJournal,
): RegularFile {
  const file = readRegularFile(root.resolve(resolvedPath), path);
  if (file?.facts.sha256 === sha256) return file;
  throw new KubepkiError('conflict', 'was changed by somebody else in the meantime', {
    file: path,
    hint: 'run the command again',
  });
}

/** A manifest without a journal was put there by hand, or kept for the operator: it is not overwritten. */
function requireFree({ asidePath }: AsideJournal): void {
  if (!exists(asidePath, asidePath)) return;
  throw new KubepkiError('conflict', 'is in the way: a manifest waits there that belongs to no restart', {
    file: asidePath,
    hint: 'move it to where it belongs',
  });
}

/** A second name for the same file keeps its owner, times and labels, and needs no space. */
function copyAside(state: StateDirectory, journal: AsideJournal): void {
  const { path, resolvedPath, asidePath } = journal;
  try {
    linkSync(resolvedPath, asidePath);
  } catch (cause) {
    if (!cannotLink(cause)) throw cause;
    if (lstatSync(resolvedPath).isSymbolicLink()) {
      throw new KubepkiError('not-a-file', 'is a symbolic link, and cannot be moved to another file system', {
        file: path,
        hint: 'put the manifest itself in its place',
      });
    }
    const { bytes, facts } = requireUnchanged(state, journal);
    const { mode, uid, gid } = facts;
    createDurably(asidePath, bytes, { mode, owner: { uid, gid } });
  }
  syncDirectory(dirname(asidePath));
}

/**
 * Puts a manifest that is away back in its place; does nothing when none is.
 * @param away what this run has taken away: a journal that cannot be read any more must not keep the component down
 * @throws KubepkiError unfinished when it cannot be put back: it still waits, and the hint says where
 */
export function moveBack(state: StateDirectory, away?: AsideJournal): Return {
  const journal = readPatiently(state, away);
  if (journal === undefined) {
    removeTraces(state);
    return { outcome: 'none' };
  }
  for (let attempt = 1, done: Done = {}; ; attempt += 1) {
    try {
      return bringBack(state, journal, done);
    } catch (cause) {
      if (cause instanceof KubepkiError && cause.code === 'unfinished') throw cause;
      // As long as the manifest is away its component is down: an error that passes must not wait for the
      // operator.
      if (attempt === attempts) throw stuck(state, journal, filesystemError(cause, journal.path));
    }
  }
}

const attempts = 3;

function readPatiently(state: StateDirectory, away: AsideJournal | undefined): AsideJournal | undefined {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return readAsideJournal(state);
    } catch (error) {
      const cause = filesystemError(error, asideJournalPath(state));
      if (cause.code === 'unfinished') throw cause;
      if (attempt < attempts) continue;
      if (away !== undefined) return away;
      throw new KubepkiError('unfinished', `cannot be read: ${cause.message}`, {
        file: asideJournalPath(state),
        hint: `a manifest may wait in ${asideDirectory(state)}; mend that, then: ${commandHere(state, 'recover')}`,
        cause,
      });
    }
  }
}

/** What an attempt had done when it failed: the next attempt cannot see it. */
interface Done {
  returned?: boolean;
  keptAs?: string;
}

function stuck(
  state: StateDirectory,
  { path, resolvedPath, asidePath }: AsideJournal,
  cause: KubepkiError,
): KubepkiError {
  const [what, where] = isThere(resolvedPath)
    ? ['is in its place, but the restart cannot be brought to an end', 'mend that']
    : ['cannot be put back', `the manifest waits in ${asidePath}; mend that`];
  return new KubepkiError('unfinished', `${what}: ${cause.message}`, {
    file: path,
    hint: `${where}, then: ${commandHere(state, 'recover')}`,
    cause,
  });
}

function isThere(path: string): boolean {
  try {
    return exists(path, path);
  } catch {
    // Only the words of a message depend on it.
    return false;
  }
}

/**
 * What is away, without doing anything.
 * @param discard whether {@link discardAside} would be next, which also takes a journal that cannot be understood
 * @throws KubepkiError unfinished
 */
export function inspectAside(
  state: StateDirectory,
  { discard }: { readonly discard: boolean },
): { readonly path: string; readonly command: string } | undefined {
  try {
    const journal = readAsideJournal(state);
    return journal && { path: journal.path, command: journal.command };
  } catch (error) {
    if (!discard || !(error instanceof KubepkiError) || error.code !== 'unfinished') throw error;
    return { path: asideJournalPath(state), command: 'a restart' };
  }
}

/** Whether another manifest has been put where the one that is away belongs. @throws KubepkiError */
export function isReplaced({ resolvedPath, path }: AsideJournal): boolean {
  return exists(resolvedPath, path);
}

/** Removes what a run has left that was killed before its journal was complete. */
function removeTraces(state: StateDirectory): void {
  onFile(asideJournalPath(state), () => {
    removeHalfWritten(asideJournalPath(state));
  });
  removeIfEmpty(asideDirectory(state));
}

/**
 * Puts the manifest back for `recover --discard`. Where that fails, or the journal cannot be understood, the journal is removed,
 * and the manifest stays where it waits.
 */
export function discardAside(state: StateDirectory): Return {
  try {
    return moveBack(state);
  } catch (error) {
    if (!(error instanceof KubepkiError) || error.code !== 'unfinished') throw error;
  }
  onFile(asideJournalPath(state), () => {
    dropAsideJournal(state);
  });
  return { outcome: 'given-up', path: asideDirectory(state), command: 'a restart' };
}

function bringBack(state: StateDirectory, journal: AsideJournal, done: Done): Return {
  const { path, command, resolvedPath, asidePath } = journal;
  // A journal that is seen is not yet on disk: its run may have been killed before it flushed the directory.
  syncDirectory(state.path);
  const waits = exists(asidePath, path);
  if (!waits && !exists(resolvedPath, path)) {
    throw new KubepkiError('unfinished', 'is gone, and so is its copy that waited to be put back', {
      file: path,
      hint: `put the manifest in its place, then: ${commandHere(state, 'recover')}`,
    });
  }
  // A run that was killed on its way back may have left it; the kubelet passes over a name that begins with a dot.
  removeIfThere(journal.stagedPath);
  const outcome = waits ? putInPlace(state, journal) : 'in-place';
  if (outcome === 'back') done.returned = true;
  if (outcome === 'kept') done.keptAs = keep(journal);
  // The operator may have copied it there a moment ago; the waiting manifest is removed only when that copy
  // is on disk.
  if (outcome === 'in-place' && waits) syncFile(state.root.resolve(resolvedPath));
  // The manifest is on disk in its place before it is removed from where it waited.
  syncDirectory(dirname(resolvedPath));
  removeIfThere(asidePath);
  if (exists(asideDirectory(state), path)) syncDirectory(asideDirectory(state));
  dropAsideJournal(state);
  removeIfEmpty(asideDirectory(state));
  if (done.keptAs !== undefined) return { outcome: 'kept', path, command, keptAs: done.keptAs };
  return { outcome: done.returned === true ? 'back' : 'in-place', path, command };
}

function putInPlace(state: StateDirectory, journal: AsideJournal): 'back' | 'in-place' | 'kept' {
  const { resolvedPath, asidePath, stagedPath, path, sha256 } = journal;
  const outOfReach = isOutOfReach(dirname(asidePath));
  if (outOfReach) {
    try {
      // link(2) never replaces a file that has been put there meanwhile, and needs no space.
      linkSync(asidePath, resolvedPath);
      return 'back';
    } catch (cause) {
      if (errnoOf(cause) === 'EEXIST') return isStill(state, resolvedPath, sha256) ? 'in-place' : 'kept';
      if (!cannotLink(cause)) throw cause;
    }
  }
  const file = readRegularFile(asidePath, path);
  if (file === undefined) throw new KubepkiError('not-found', 'disappeared', { file: asidePath });
  // The owner of the cert dir may have put another pod in the place of ours, and the kubelet would run it.
  if (!outOfReach && file.facts.sha256 !== sha256) {
    throw new KubepkiError('conflict', 'is not the manifest that was taken away', { file: asidePath });
  }
  const { mode, uid, gid } = file.facts;
  createDurably(stagedPath, file.bytes, { mode, owner: { uid, gid } });
  try {
    linkOrRename(stagedPath, resolvedPath);
    return 'back';
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause;
    return isStill(state, resolvedPath, sha256) ? 'in-place' : 'kept';
  } finally {
    removeIfThere(stagedPath);
  }
}

function linkOrRename(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (cause) {
    if (!cannotLink(cause)) throw cause;
    // Without hard links a file that is put there between the look and the rename is replaced.
    if (exists(to, to)) throw Object.assign(new Error('EEXIST'), { code: 'EEXIST' });
    renameSync(from, to);
  }
}

/** Keeps the manifest under a name of its own, for the operator who misses it: the next restart needs the place. */
function keep({ asidePath }: AsideJournal): string {
  for (let number = 1; ; number += 1) {
    const keptAs = `${asidePath}.replaced-${String(number)}`;
    if (exists(keptAs, keptAs)) continue;
    renameSync(asidePath, keptAs);
    return keptAs;
  }
}

/** The two places are on different file systems, or on one without hard links. */
function cannotLink(cause: unknown): boolean {
  return ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(cause) ?? '');
}
