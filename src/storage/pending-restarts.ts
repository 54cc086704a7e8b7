import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { onFile } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import {
  deferred,
  dropRecord,
  list,
  numberIn,
  object,
  optional,
  readRecord,
  shownLocation,
  text,
  writeRecord,
  type StoredRecord,
} from './record.ts';
import { isStill, type StateDirectory } from './state-directory.ts';

/** A component that was to be restarted to use these files. Host paths here, stored ones on disk. */
export interface PendingRestart {
  readonly component: string;
  /** SHA-256, hex, of what the change puts there; of a file that was changed again, one for each change. */
  readonly files: readonly PutFile[];
}

interface PutFile {
  readonly path: string;
  readonly sha256: string;
}

/** How the restarts were asked for, where not by default. Times are in milliseconds; host paths here, stored ones on disk. */
export interface RestartTerms {
  /** The static pods' manifests are in it. */
  readonly manifestsDir?: string;
  readonly settle?: number;
  readonly stopTimeout?: number;
  readonly startTimeout?: number;
}

export interface PendingRestarts {
  readonly restarts: readonly PendingRestart[];
  readonly terms: RestartTerms;
}

interface RestartsRecord {
  /** Their paths are looked for only when they are of use: one that is out of reach must not stop a run after a reboot. */
  readonly restarts: () => readonly PendingRestart[];
  readonly terms: () => RestartTerms;
  /** The kernel's name for the time since the machine was started: a reboot restarts everything. */
  readonly bootId: string;
}

const milliseconds = optional(numberIn(0, Number.MAX_VALUE, { fractions: true }));

const restartsRecord = object<RestartsRecord>({
  bootId: text,
  restarts: deferred(
    list(
      object<PendingRestart>({
        component: text,
        files: list(object<PutFile>({ path: shownLocation, sha256: text })),
      }),
    ),
  ),
  terms: deferred(
    object<RestartTerms>({
      manifestsDir: optional(shownLocation),
      settle: milliseconds,
      stopTimeout: milliseconds,
      startTimeout: milliseconds,
    }),
  ),
});

const none: PendingRestarts = { restarts: [], terms: {} };

/**
 * Written before the change is made, so that a run that is killed between the change and its restarts leaves word of
 * them: the next one with `--restart` makes up for it, though nothing is due any more.
 * @throws KubepkiError no-permission, io
 */
export function writePendingRestarts(
  state: StateDirectory,
  { restarts, terms }: PendingRestarts,
  bootId: string,
): void {
  const path = pendingRestartsPath(state);
  onFile(path, () => {
    if (restarts.length === 0) dropRecord(path);
    else writeRecord(state, path, restartsRecord, { bootId, restarts: () => restarts, terms: () => terms });
  });
}

/**
 * What is still to be restarted. After a reboot that is nothing, and so it is where a file is no longer what the change put there,
 * which was never made then, or taken back. A record that cannot be read only asks for a restart: it counts for nothing, and
 * {@link unusablePendingRestarts} says so.
 * @throws KubepkiError unfinished for a file that cannot be reached from here: whether it was changed cannot be told
 */
export function readPendingRestarts(state: StateDirectory, bootId: string): PendingRestarts {
  const record = readPending(state);
  if (record === undefined || record instanceof KubepkiError) return none;
  const { bootId: written, restarts: all, terms } = record.locate();
  if (written !== bootId) return none;
  const restarts = all().filter(({ files }) =>
    files.some(({ path, sha256 }) => isStill(state, path, sha256)),
  );
  return restarts.length === 0 ? none : { restarts, terms: terms() };
}

/** Why the record that is there cannot be read. */
export function unusablePendingRestarts(state: StateDirectory): KubepkiError | undefined {
  const record = readPending(state);
  return record instanceof KubepkiError ? record : undefined;
}

/** Whether there is a record, of use or not. @throws KubepkiError no-permission, io */
export function hasPendingRestarts(state: StateDirectory): boolean {
  const path = pendingRestartsPath(state);
  return exists(path, path) || exists(`${path}.new`, path);
}

function pendingRestartsPath(state: StateDirectory): string {
  return join(state.path, 'pending-restarts.json');
}

function readPending(state: StateDirectory): StoredRecord<RestartsRecord> | KubepkiError | undefined {
  try {
    return readRecord(state, pendingRestartsPath(state), restartsRecord, {
      code: 'unfinished',
      problem: 'is no record of restarts that kubepki understands',
    });
  } catch (error) {
    if (error instanceof KubepkiError) return error;
    throw error;
  }
}
