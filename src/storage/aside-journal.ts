import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { removeIfThere, replaceDurably, syncDirectory } from './durable.ts';
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

/** The manifest of a static pod that was taken out of the kubelet's sight. Host paths here, stored ones on disk. */
export interface AsideJournal {
  readonly version: 1;
  readonly command: string;
  /** For messages. */
  readonly path: string;
  /** The directory without symlinks; the manifest itself may be one. */
  readonly resolvedPath: string;
  /** SHA-256 of what it said, hex. */
  readonly sha256: string;
  /** Where the manifest waits. */
  readonly asidePath: string;
  /** The manifest's name on its way back from another file system. */
  readonly stagedPath: string;
}

type WithPaths<P> = Pick<AsideJournal, 'version' | 'command' | 'sha256'> &
  Readonly<Record<'path' | 'resolvedPath' | 'asidePath' | 'stagedPath', P>>;

type StoredAsideJournal = WithPaths<StoredPath> & { readonly origin: Origin };

export function asideJournalPath(state: StateDirectory): string {
  return join(state.path, 'restart.json');
}

/** Throws what node:fs throws. */
export function writeAsideJournal(state: StateDirectory, journal: AsideJournal): void {
  const { origin, store } = pathStore(state, [journal.path, journal.resolvedPath, journal.asidePath]);
  const stored: StoredAsideJournal = { ...withPaths(journal, store, store), origin };
  replaceDurably(asideJournalPath(state), Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`));
}

/** Throws what node:fs throws. */
export function dropAsideJournal(state: StateDirectory): void {
  removeIfThere(asideJournalPath(state));
  removeIfThere(`${asideJournalPath(state)}.new`);
  syncDirectory(state.path);
}

/**
 * @returns undefined when no manifest is away
 * @throws KubepkiError unfinished when it cannot be understood, or names a path that cannot be reached from here
 */
export function readAsideJournal(state: StateDirectory): AsideJournal | undefined {
  const file = readJournalFile(state);
  if (file === undefined) return undefined;
  const value = parseJson(file);
  if (!isAsideJournal(value)) throw unusable(state, 'is not a journal of this version of kubepki');
  const { locate, show } = pathLocator(state, value.origin);
  return withPaths(value, locate, show);
}

function readJournalFile(state: StateDirectory): Buffer | undefined {
  try {
    return readOwn(asideJournalPath(state))?.bytes;
  } catch (error) {
    const strange = error instanceof KubepkiError && ['not-a-file', 'too-large'].includes(error.code);
    throw strange ? unusable(state, error.message) : error;
  }
}

function unusable(state: StateDirectory, message: string): KubepkiError {
  return new KubepkiError('unfinished', message, {
    file: asideJournalPath(state),
    hint: `a manifest may wait in ${asideDirectory(state)}: put it in its place, then: ${commandHere(state, 'recover --discard')}`,
  });
}

/** Outside the directory that the kubelet watches: there it runs every file whose name does not begin with a dot. */
export function asideDirectory(state: StateDirectory): string {
  return join(state.path, 'manifests');
}

/** @param show the same for the path that is only for messages */
function withPaths<P, Q>(
  { version, command, sha256, path, resolvedPath, asidePath, stagedPath }: WithPaths<P>,
  convert: (path: P) => Q,
  show: (path: P) => Q,
): WithPaths<Q> {
  return {
    version,
    command,
    path: show(path),
    resolvedPath: convert(resolvedPath),
    sha256,
    asidePath: convert(asidePath),
    stagedPath: convert(stagedPath),
  };
}

function isAsideJournal(value: unknown): value is StoredAsideJournal {
  if (!isRecord(value) || value['version'] !== 1) return false;
  const { origin, command, path, resolvedPath, sha256, asidePath, stagedPath } = value;
  return (
    isOrigin(origin) &&
    [command, sha256].every(isText) &&
    [path, asidePath].every(isStoredPath) &&
    isStaged(stagedPath, resolvedPath)
  );
}
