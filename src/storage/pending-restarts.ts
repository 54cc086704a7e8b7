import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { exists, readRegularFile } from '../filesystem/regular-file.ts';
import { isRecord, isText, parseJson } from './json-value.ts';
import { removeIfThere, replaceDurably, syncDirectory } from './durable.ts';
import { readOwn, type StateDirectory } from './state-directory.ts';
import {
  isOrigin,
  isStoredPath,
  pathLocator,
  pathStore,
  type Origin,
  type StoredPath,
} from './stored-paths.ts';

interface WithPaths<P> {
  readonly component: string;
  /** SHA-256, hex, of what the change puts there; of a file that was changed again, one for each change. */
  readonly files: readonly { readonly path: P; readonly sha256: string }[];
}

interface Terms<P> {
  /** The directory of the static pods' manifests. */
  readonly manifestsDir?: P;
  readonly settle?: number;
  readonly stopTimeout?: number;
  readonly startTimeout?: number;
}

/** A component that was to be restarted to use these files. Host paths here, stored ones on disk. */
export type PendingRestart = WithPaths<string>;

/** How they were asked for; undefined: as it is by default. Times in milliseconds. Host paths here, stored ones on disk. */
export type RestartTerms = Terms<string>;

export interface PendingRestarts {
  readonly restarts: readonly PendingRestart[];
  readonly terms: RestartTerms;
}

interface StoredRestarts {
  readonly version: 1;
  readonly origin: Origin;
  /** The kernel's name for the time since the machine was started: a reboot restarts everything. */
  readonly bootId: string;
  readonly restarts: readonly WithPaths<StoredPath>[];
  readonly terms: Terms<StoredPath>;
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
    const { origin, store } = pathStore(state, [
      ...restarts.flatMap(({ files }) => files.map((file) => file.path)),
      ...(terms.manifestsDir === undefined ? [] : [terms.manifestsDir]),
    ]);
    const stored: StoredRestarts = {
      version: 1,
      origin,
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
 * @throws KubepkiError unfinished for a file that cannot be reached from here: whether it was changed cannot be told
 */
export function readPendingRestarts(state: StateDirectory, bootId: string): PendingRestarts {
  const stored = readStored(state);
  if (stored === undefined || stored instanceof KubepkiError || stored.bootId !== bootId) return none;
  const { show } = pathLocator(state, stored.origin);
  const restarts = withPaths(stored.restarts, show).filter(({ files }) =>
    files.some(({ path, sha256 }) => digestOf(state, path) === sha256),
  );
  if (restarts.length === 0) return none;
  return { restarts, terms: withDirectory(stored.terms, show) };
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
    const file = readOwn(path);
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

function withPaths<P, Q>(restarts: readonly WithPaths<P>[], convert: (path: P) => Q): WithPaths<Q>[] {
  return restarts.map(({ component, files }) => ({
    component,
    files: files.map(({ path, sha256 }) => ({ path: convert(path), sha256 })),
  }));
}

function withDirectory<P, Q>({ manifestsDir, ...times }: Terms<P>, convert: (path: P) => Q): Terms<Q> {
  return manifestsDir === undefined ? times : { ...times, manifestsDir: convert(manifestsDir) };
}

function isStored(value: unknown): value is StoredRestarts {
  if (!isRecord(value) || value['version'] !== 1 || !Array.isArray(value['restarts'])) return false;
  return (
    isOrigin(value['origin']) &&
    isText(value['bootId']) &&
    isTerms(value['terms']) &&
    value['restarts'].every(
      (restart: unknown) =>
        isRecord(restart) &&
        isText(restart['component']) &&
        Array.isArray(restart['files']) &&
        restart['files'].every(
          (file: unknown) => isRecord(file) && isStoredPath(file['path']) && isText(file['sha256']),
        ),
    )
  );
}

function isTerms(value: unknown): value is Terms<StoredPath> {
  if (!isRecord(value)) return false;
  const { manifestsDir, settle, stopTimeout, startTimeout } = value;
  return (
    (manifestsDir === undefined || isStoredPath(manifestsDir)) &&
    [settle, stopTimeout, startTimeout].every(
      (time) => time === undefined || (typeof time === 'number' && Number.isFinite(time) && time >= 0),
    )
  );
}
