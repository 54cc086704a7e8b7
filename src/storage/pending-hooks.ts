import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { entriesIn, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { createDurably, removeIfThere, rename, syncDirectory } from './durable.ts';
import { flock } from './lock.ts';
import { backupId } from './manifest.ts';
import {
  list,
  location,
  matching,
  nullable,
  object,
  readRecord,
  recordBytes,
  shownLocation,
  text,
} from './record.ts';
import { isStill, type StateDirectory } from './state-directory.ts';

/**
 * A change that a deploy hook is to follow, and what the hook is told of it. Not the hook itself: that is always the one on
 * the command line, as no file may say what is run. Host paths here, stored ones on disk.
 */
export interface PendingHook {
  /** The backup of what the change replaced; the record has its name. */
  readonly backup: string;
  readonly command: string;
  readonly names: readonly string[];
  readonly files: readonly string[];
  readonly components: readonly string[];
  /** What the change puts in place. A file that was changed again is there once for each change. */
  readonly puts: readonly PutFile[];
}

export interface PutFile {
  readonly path: string;
  /** Hex; null: the change takes the file away. */
  readonly sha256: string | null;
}

/** A hook that no other run can take up, as long as this run holds it. */
export interface ClaimedHook {
  readonly hook: PendingHook;
  /** The hook has done its work. @throws KubepkiError no-permission, io */
  readonly drop: () => void;
  /** Leaves the record, for another run. */
  readonly release: () => void;
}

// A hook finds them in its environment: words that mean nothing to a shell.
const words = list(matching(/^[a-z0-9](?:[a-z0-9.-]*)$/));

const hookRecord = object<Omit<PendingHook, 'backup'>>({
  command: matching(/^[a-z]+(?:-[a-z]+)*$/),
  names: words,
  files: list(shownLocation),
  components: words,
  puts: list(object<PutFile>({ path: location, sha256: nullable(text) })),
});

/**
 * Written before the change is made, so that a run that is killed between the change and its hook leaves word of it. It
 * belongs to this process until that ends or drops it: the kernel's lock on the file tells whether its run still lives.
 * Call it under the lock.
 * @throws KubepkiError no-permission, io
 */
export function writePendingHook(state: StateDirectory, hook: PendingHook): void {
  replace(state, hook, { claimed: true });
}

/** Rewrites a record that was claimed: another run can claim it afterwards. @throws KubepkiError no-permission, io */
export function rewritePendingHook(state: StateDirectory, hook: PendingHook): void {
  replace(state, hook, { claimed: false });
}

/**
 * Claims the hooks that runs which have ended have left, the oldest first, where the change was made and not taken back.
 * @throws KubepkiError no-permission, io
 */
export function claimPendingHooks(state: StateDirectory): readonly ClaimedHook[] {
  return recordsIn(state).flatMap((backup) => {
    const path = recordPath(state, backup);
    const descriptor = claim(path);
    if (descriptor === undefined) return [];
    const release = (): void => {
      closeSync(descriptor);
    };
    const hook = readHook(state, backup);
    if (hook === undefined || hook instanceof KubepkiError || !isInPlace(state, hook)) {
      release();
      return [];
    }
    const drop = (): void => {
      try {
        dropPendingHook(state, backup);
      } finally {
        release();
      }
    };
    return [{ hook, drop, release }];
  });
}

/** Whether a hook is owed for a change that stands, or a record of one cannot be understood. @throws KubepkiError no-permission, io */
export function hasPendingHooks(state: StateDirectory): boolean {
  return recordsIn(state).some((backup) => {
    const hook = readHook(state, backup);
    return hook instanceof KubepkiError || (hook !== undefined && isInPlace(state, hook));
  });
}

/** Removes the record of this run, once its hook has done its work. @throws KubepkiError no-permission, io */
export function dropPendingHook(state: StateDirectory, backup: string): void {
  const path = recordPath(state, backup);
  onFile(path, () => {
    removeIfThere(path);
    syncDirectory(state.path);
  });
}

/**
 * Removes the records whose change was never made, or was taken back. Call it under the lock.
 * @returns what is wrong with records that stay: they cannot be understood, or speak of a file that cannot be reached
 * @throws KubepkiError no-permission, io
 */
export function tidyPendingHooks(state: StateDirectory): readonly KubepkiError[] {
  return entriesIn(state.path, state.path).flatMap(({ name }) => {
    if (/^hook-.*\.json\.new$/.test(name)) {
      const staged = join(state.path, name);
      onFile(staged, () => {
        removeIfThere(staged);
      });
    }
    const backup = backupOf(name);
    if (backup === undefined) return [];
    const hook = readHook(state, backup);
    if (hook instanceof KubepkiError) return [hook];
    if (hook !== undefined && !isInPlace(state, hook)) dropPendingHook(state, backup);
    return [];
  });
}

function recordPath(state: StateDirectory, backup: string): string {
  return join(state.path, `hook-${backup}.json`);
}

function backupOf(name: string): string | undefined {
  const id = /^hook-(.*)\.json$/.exec(name)?.[1];
  return id !== undefined && backupId.test(id) ? id : undefined;
}

/** Names begin with the time of the change. */
function recordsIn(state: StateDirectory): readonly string[] {
  return entriesIn(state.path, state.path)
    .flatMap(({ name }) => backupOf(name) ?? [])
    .sort();
}

function replace(state: StateDirectory, hook: PendingHook, { claimed }: { readonly claimed: boolean }): void {
  const { backup, ...record } = hook;
  const path = recordPath(state, backup);
  const staged = `${path}.new`;
  onFile(path, () => {
    removeIfThere(staged);
    createDurably(staged, recordBytes(state, hookRecord, record), { mode: 0o600, owner: undefined });
    // Before it has its name, so that no other run claims it first. The descriptor is closed with the process.
    if (claimed && claim(staged) === undefined) throw new KubepkiError('busy', 'is locked', { file: staged });
    rename(staged, path);
    syncDirectory(state.path);
  });
}

/** @returns undefined when another run is at work on it, or has just dropped or rewritten it */
function claim(path: string): number | undefined {
  const descriptor = open(path);
  if (descriptor === undefined) return undefined;
  try {
    if (flock(descriptor) && fstatSync(descriptor).nlink > 0) return descriptor;
  } catch (cause) {
    closeSync(descriptor);
    throw filesystemError(cause, path);
  }
  closeSync(descriptor);
  return undefined;
}

/** @returns undefined when it has gone, or is no file of ours, which is said where records are tidied */
function open(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
}

/** @returns undefined: it has just gone */
function readHook(state: StateDirectory, backup: string): PendingHook | KubepkiError | undefined {
  try {
    const record = readRecord(state, recordPath(state, backup), hookRecord, {
      code: 'unfinished',
      problem: 'is no record of a deploy hook that kubepki understands',
      hint: 'a hook may not have followed its change: do what it does by hand, then remove that file',
    });
    if (record === undefined || record instanceof KubepkiError) return record;
    return { backup, ...record.locate() };
  } catch (error) {
    if (error instanceof KubepkiError) return error;
    throw error;
  }
}

/** One file that is what the change put there is enough as proof: the others may have been changed again. */
function isInPlace(state: StateDirectory, { puts }: PendingHook): boolean {
  return puts.some(({ path, sha256 }) => isStill(state, path, sha256));
}
