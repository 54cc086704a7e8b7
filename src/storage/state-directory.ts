import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { geteuid } from 'node:process';
import { dirname, join, sep } from 'node:path';
import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { stateDirectoryName } from '../filesystem/own-names.ts';
import { readRegularFile, type RegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { syncDirectory } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';

/**
 * Where kubepki keeps what it did to a cert dir: `.kubepki/` inside it, so that every mount and every spelling of the
 * directory finds the same. All paths but the kubeconfig dir's are host paths without symlinks.
 */
export interface StateDirectory {
  readonly path: string;
  readonly journal: string;
  readonly backups: string;
  /** The file that is locked. It names its holder. */
  readonly lock: string;
  /** What stands for `/`. */
  readonly root: FileSystemRoot;
  readonly certDir: string;
  /** The cert dir as the operator writes it, for messages. */
  readonly shownCertDir: string;
  /** As the operator writes it: its symlinks are not resolved, and it need not be there. */
  readonly kubeconfigDir: string;
  /** The flags that lead here, for command lines in hints. */
  readonly flags: readonly string[];
}

/** Host paths. */
interface StatePlace extends Pick<StateDirectory, 'root' | 'flags' | 'kubeconfigDir'> {
  readonly certDir: string;
}

export function stateDirectoryOf({ root, certDir, kubeconfigDir, flags }: StatePlace): StateDirectory {
  const resolved = root.resolve(certDir);
  const path = join(resolved, stateDirectoryName);
  return {
    path,
    journal: join(path, 'journal.json'),
    backups: join(path, 'backups'),
    lock: join(path, 'lock'),
    root,
    certDir: resolved,
    shownCertDir: certDir,
    kubeconfigDir,
    flags,
  };
}

/** A command line of ours that works on this directory, for a hint. */
export function commandHere({ flags }: StateDirectory, command: string): string {
  return commandLine(flags)(command);
}

/** On disk when this returns. @throws KubepkiError no-permission, io */
export function createStateDirectory(directory: string): void {
  const isNew = makeDirectory(directory);
  if (!isNew) requireOwn(directory);
  try {
    // A directory that was there is flushed too: a run that was killed right after making it has not got this far.
    syncDirectory(dirname(directory));
  } catch (cause) {
    if (isNew) removeIfEmpty(directory);
    throw filesystemError(cause, directory);
  }
}

/** Refuses the directory as {@link createStateDirectory} would, and makes none. @throws KubepkiError no-permission */
export function requireSoundStateDirectory(directory: string): void {
  if (lstatSync(directory, { throwIfNoEntry: false }) !== undefined) requireOwn(directory);
}

/** @returns false when something of that name was there */
function makeDirectory(directory: string): boolean {
  try {
    inItsDirectory(directory, (path) => {
      mkdirSync(path, { mode: 0o700 });
    });
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return false;
    throw filesystemError(cause, directory);
  }
}

/** A user who can write to the journal decides which files are replaced: so only we may write to the directory. */
function requireOwn(directory: string): void {
  const stats = lstatSync(directory);
  const mine = stats.uid === (geteuid?.() ?? stats.uid);
  if (stats.isDirectory() && mine && (stats.mode & 0o022) === 0) return;
  const problem = mine
    ? 'is not a directory that only you can write to'
    : `belongs to uid ${String(stats.uid)}, not to you`;
  throw new KubepkiError('no-permission', `${problem}, and kubepki keeps its journal there`, {
    file: directory,
    hint:
      stats.isDirectory() && !mine ? wayOn(stats.uid, directory) : 'find out who made it, then move it away',
  });
}

/** What the operator can do where a file or directory of kubepki's is another user's. */
export function wayOn(uid: number, path: string): string {
  if (uid === 0) return 'run it as root';
  return `run it as that user; or, if nothing of it is needed any more: mv ${shellWord(path)} ${shellWord(`${path}.old`)}`;
}

/**
 * Reads a record of ours. The owner of the cert dir can put another directory in the place of the state at any moment, but
 * cannot make files that belong to root.
 * @returns undefined when there is none
 * @throws KubepkiError not-a-file, too-large, no-permission, io
 */
export function readOwn(path: string): RegularFile | undefined {
  const file = readRegularFile(path, path);
  const me = geteuid?.();
  if (file === undefined || me === undefined || file.facts.uid === me) return file;
  const message = `belongs to uid ${String(file.facts.uid)}, and so is none of the files that kubepki keeps for uid ${String(me)}`;
  throw new KubepkiError('not-a-file', message, { file: path });
}

/** Whether the file is what it was, or (null) is not there; a file that cannot be read is not. */
export function isStill({ root }: StateDirectory, path: string, sha256: string | null): boolean {
  try {
    return (readRegularFile(root.resolve(path), path)?.facts.sha256 ?? null) === sha256;
  } catch (error) {
    if (error instanceof KubepkiError) return false;
    throw error;
  }
}

/** Whether a directory is the state's, or in it: it is made when it is needed, for us alone, and goes when it is empty. */
export function isOfState(state: StateDirectory, directory: string): boolean {
  return directory === state.path || directory.startsWith(state.path + sep);
}

/** Removes the directory if nothing is in it any more: a run that changed nothing leaves nothing. */
export function removeIfEmpty(directory: string): void {
  try {
    inItsDirectory(directory, rmdirSync);
  } catch (cause) {
    // ENOTDIR: a file or a symlink in its place is not ours to remove.
    const harmless = ['ENOTEMPTY', 'ENOENT', 'EEXIST', 'ENOTDIR'];
    if (!harmless.includes(errnoOf(cause) ?? '')) throw filesystemError(cause, directory);
  }
}
