import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile } from '../filesystem/regular-file.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { removeIfThere, replaceDurably, syncDirectory } from './durable.ts';
import type { StateDirectory } from './state-directory.ts';
import { storedPathsFor, storedPathsOf } from './stored-paths.ts';

/** A component that was to be restarted to use these files. Host paths here, stored ones on disk. */
export interface PendingRestart {
  readonly component: string;
  /** SHA-256, hex, of what the change puts there; of a file that was changed again, one for each change. */
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** How they were asked for; undefined: as it is by default. Times in milliseconds. */
export interface RestartTerms {
  /** Of the static pods' manifests. A host path here, a stored one on disk. */
  readonly manifestsDir?: string;
  readonly settle?: number;
  readonly stopTimeout?: number;
  readonly startTimeout?: number;
}

export interface PendingRestarts {
  readonly restarts: readonly PendingRestart[];
  readonly terms: RestartTerms;
}

interface StoredRestarts {
  readonly version: 1;
  readonly stateDirectory: string;
  /** The kernel's name for the time since the machine was started: a reboot restarts everything. */
  readonly bootId: string;
  readonly restarts: readonly PendingRestart[];
  /** Not there in what the first version of kubepki wrote. */
  readonly terms?: RestartTerms;
}

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
  try {
    if (restarts.length === 0) {
      removeIfThere(path);
      removeIfThere(`${path}.new`);
      syncDirectory(state.path);
      return;
    }
    const { store } = storedPathsFor(state, [
      ...restarts.flatMap(({ files }) => files.map((file) => file.path)),
      ...(terms.manifestsDir === undefined ? [] : [terms.manifestsDir]),
    ]);
    const stored: StoredRestarts = {
      version: 1,
      stateDirectory: store(state.path),
      bootId,
      restarts: withPaths(restarts, store),
      terms: withDirectory(terms, store),
    };
    replaceDurably(path, Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`));
  } catch (cause) {
    throw filesystemError(cause, path);
  }
}

/**
 * What is still to be restarted: where a file is no longer what the change put there (it was never made, or taken back),
 * nothing is; neither is after a reboot. What cannot be read is nothing: it only asks for a restart, and
 * {@link unusablePendingRestarts} says so.
 */
export function readPendingRestarts(state: StateDirectory, bootId: string): PendingRestarts {
  const stored = readStored(state);
  if (stored === undefined || stored instanceof KubepkiError || stored.bootId !== bootId) return none;
  const paths = storedPathsOf(state, stored.stateDirectory);
  if (paths === undefined) return none;
  const restarts = withPaths(stored.restarts, paths.locate).filter(({ files }) =>
    files.some(({ path, sha256 }) => digestOf(state, path) === sha256),
  );
  if (restarts.length === 0) return none;
  return { restarts, terms: withDirectory(stored.terms ?? {}, paths.locate) };
}

/** Why what is there cannot be read. */
export function unusablePendingRestarts(state: StateDirectory): KubepkiError | undefined {
  const stored = readStored(state);
  return stored instanceof KubepkiError ? stored : undefined;
}

/** Whether there is word of any, still of use or not. @throws KubepkiError no-permission, io */
export function hasPendingRestarts(state: StateDirectory): boolean {
  const path = pendingRestartsPath(state);
  return exists(path, path) || exists(`${path}.new`, path);
}

function pendingRestartsPath(state: StateDirectory): string {
  return join(state.path, 'pending-restarts.json');
}

function readStored(state: StateDirectory): StoredRestarts | KubepkiError | undefined {
  try {
    const path = pendingRestartsPath(state);
    const file = readRegularFile(path, path);
    if (file === undefined) return undefined;
    const value = parseJson(file.bytes);
    if (isStored(value)) return value;
    return new KubepkiError('unfinished', 'is no record of restarts that kubepki understands', {
      file: path,
    });
  } catch (error) {
    if (error instanceof KubepkiError) return error;
    throw error;
  }
}

function digestOf({ root }: StateDirectory, path: string): string | undefined {
  try {
    return readRegularFile(root.resolve(path), path)?.facts.sha256;
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

function withPaths(restarts: readonly PendingRestart[], convert: (path: string) => string): PendingRestart[] {
  return restarts.map(({ component, files }) => ({
    component,
    files: files.map(({ path, sha256 }) => ({ path: convert(path), sha256 })),
  }));
}

function withDirectory(
  { manifestsDir, ...times }: RestartTerms,
  convert: (path: string) => string,
): RestartTerms {
  return manifestsDir === undefined ? times : { ...times, manifestsDir: convert(manifestsDir) };
}

function isStored(value: unknown): value is StoredRestarts {
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['restarts'])) return false;
  return (
    isText(value['stateDirectory']) &&
    isText(value['bootId']) &&
    (value['terms'] === undefined || isTerms(value['terms'])) &&
    value['restarts'].every(
      (restart: unknown) =>
        isRecord(restart) &&
        isText(restart['component']) &&
        Array.isArray(restart['files']) &&
        restart['files'].every(
          (file: unknown) => isRecord(file) && isText(file['path']) && isText(file['sha256']),
        ),
    )
  );
}

function isTerms(value: unknown): value is RestartTerms {
  if (!isRecord(value)) return false;
  const { manifestsDir, settle, stopTimeout, startTimeout } = value;
  return (
    (manifestsDir === undefined || isText(manifestsDir)) &&
    [settle, stopTimeout, startTimeout].every(
      (time) => time === undefined || (typeof time === 'number' && Number.isFinite(time) && time >= 0),
    )
  );
}
