import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import {
  dropRecord,
  isStaged,
  location,
  object,
  readRecord,
  shownLocation,
  text,
  writeRecord,
} from './record.ts';
import { commandHere, type StateDirectory } from './state-directory.ts';

/** The manifest of a static pod that was taken out of the kubelet's sight. Host paths here, stored ones on disk. */
export interface AsideJournal {
  readonly command: string;
  /** The path that messages name. */
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

const asideRecord = object<AsideJournal>(
  {
    command: text,
    path: shownLocation,
    resolvedPath: location,
    sha256: text,
    asidePath: location,
    stagedPath: location,
  },
  ({ stagedPath, resolvedPath }) => isStaged(stagedPath, resolvedPath),
);

export function asideJournalPath(state: StateDirectory): string {
  return join(state.path, 'restart.json');
}

/** Throws what node:fs throws. */
export function writeAsideJournal(state: StateDirectory, journal: AsideJournal): void {
  writeRecord(state, asideJournalPath(state), asideRecord, journal);
}

/** Throws what node:fs throws. */
export function dropAsideJournal(state: StateDirectory): void {
  dropRecord(asideJournalPath(state));
}

/**
 * @returns undefined when no manifest is away
 * @throws KubepkiError unfinished when it cannot be understood, or names a path that cannot be reached from here
 */
export function readAsideJournal(state: StateDirectory): AsideJournal | undefined {
  const record = readRecord(state, asideJournalPath(state), asideRecord, {
    code: 'unfinished',
    problem: 'is not a journal of this version of kubepki',
    hint: `a manifest may wait in ${asideDirectory(state)}: put it in its place, then: ${commandHere(state, 'recover --discard')}`,
  });
  if (record instanceof KubepkiError) throw record;
  return record?.locate();
}

/** Outside the directory that the kubelet watches: there it runs every file whose name does not begin with a dot. */
export function asideDirectory(state: StateDirectory): string {
  return join(state.path, 'manifests');
}
