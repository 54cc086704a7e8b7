import { dirname, resolve } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { isStagedPath, removeIfThere, replaceDurably, syncDirectory } from './durable.ts';
import { readOwn, type StateDirectory } from './state-directory.ts';
import {
  pathLocator,
  pathStore,
  type Origin,
  type PathLocator,
  type PathStore,
  type StoredPath,
} from './stored-paths.ts';

/** How a value is kept in a file of ours: as which JSON, and which JSON is taken for it. */
interface Field<T> {
  /** @returns undefined for what this field has not written */
  readonly parse: (stored: unknown) => Located<T> | undefined;
  readonly store: (value: T, store: PathStore['store']) => unknown;
}

/** What was stored, with its paths as they are here. Throws what the locator throws. */
type Located<T> = (paths: PathLocator) => T;

type JsonRecord = Readonly<Record<string, unknown>>;

/** A field with named parts; a file of ours is one. */
interface ObjectField<T> extends Field<T> {
  readonly store: (value: T, store: PathStore['store']) => JsonRecord;
}

function plain<T>(isValid: (stored: unknown) => stored is T): Field<T> {
  return { parse: (stored) => (isValid(stored) ? () => stored : undefined), store: (value) => value };
}

export const text: Field<string> = plain(isText);

export function matching(pattern: RegExp): Field<string> {
  return plain((stored): stored is string => isText(stored) && pattern.test(stored));
}

export function oneOf<T extends string>(...words: readonly T[]): Field<T> {
  return plain((stored): stored is T => words.some((word) => word === stored));
}

export const flag: Field<true> = plain((stored): stored is true => stored === true);

/** An integer, or with `fractions` any number. */
export function numberIn(min: number, max: number, { fractions = false } = {}): Field<number> {
  return plain(
    (stored): stored is number =>
      typeof stored === 'number' &&
      (fractions ? Number.isFinite(stored) : Number.isInteger(stored)) &&
      stored >= min &&
      stored <= max,
  );
}

/** A host path, without symlinks where it is in one of our directories. */
export const location: Field<string> = pathField((paths, stored) => paths.locate(stored));

/** A host path as the operator writes it, for messages. */
export const shownLocation: Field<string> = pathField((paths, stored) => paths.show(stored));

function pathField(locate: (paths: PathLocator, stored: StoredPath) => string): Field<string> {
  return {
    parse: (stored) => (isStoredPath(stored) ? (paths) => locate(paths, stored) : undefined),
    store: (value, store) => store(value),
  };
}

export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    parse: (stored) => (stored === null ? () => null : field.parse(stored)),
    store: (value, store) => (value === null ? null : field.store(value, store)),
  };
}

/** JSON has no undefined: the field is left out. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    parse: (stored) => (stored === undefined ? () => undefined : field.parse(stored)),
    store: (value, store) => (value === undefined ? undefined : field.store(value, store)),
  };
}

export function list<T>(field: Field<T>, { min = 0 } = {}): Field<readonly T[]> {
  return {
    parse: (stored) => {
      if (!Array.isArray(stored) || stored.length < min) return undefined;
      const items = stored.map(field.parse).filter((item) => item !== undefined);
      return items.length < stored.length ? undefined : (paths) => items.map((item) => item(paths));
    },
    store: (values, store) => values.map((value) => field.store(value, store)),
  };
}

/** Its paths are looked for when it is called: a path that cannot be reached leaves the rest of the record readable. */
export function deferred<T>(field: Field<T>): Field<() => T> {
  return {
    parse: (stored) => {
      const located = field.parse(stored);
      return located && ((paths) => () => located(paths));
    },
    store: (value, store) => field.store(value(), store),
  };
}

/** A part that may be left out has an {@link optional} field. */
type PartsOf<T> = {
  readonly [K in keyof T]-?: Field<Partial<Pick<T, K>> extends Pick<T, K> ? T[K] | undefined : T[K]>;
};

/** @param isSound what must be true of the parts together, as they are stored */
export function object<T extends object>(
  fields: PartsOf<T>,
  isSound: (stored: JsonRecord) => boolean = () => true,
): ObjectField<T> {
  // A field is only given back the value that it has parsed itself.
  const parts = Object.entries(fields as Readonly<Record<string, Field<unknown>>>);
  return {
    parse: (stored) => {
      if (!isRecord(stored) || !isSound(stored)) return undefined;
      const located = parts.flatMap(([name, field]) => {
        const part = field.parse(stored[name]);
        return part === undefined ? [] : [[name, part] as const];
      });
      if (located.length < parts.length) return undefined;
      return (paths) => {
        const values = located.map(([name, part]) => [name, part(paths)] as const);
        // Each part is what its field says, and there is a field for each: that is T.
        return Object.fromEntries(values.filter(([, value]) => value !== undefined)) as T;
      };
    },
    store: (value, store) => {
      const given = new Map(Object.entries<unknown>(value as Readonly<Record<string, unknown>>));
      return Object.fromEntries(parts.map(([name, field]) => [name, field.store(given.get(name), store)]));
    },
  };
}

/** A file of ours that was understood. */
export interface StoredRecord<T> {
  /**
   * @param command what to run where its paths can be reached
   * @throws KubepkiError unfinished for a path that cannot be reached from here
   */
  readonly locate: (command?: string) => T;
}

/** The error for a file in a record's place that cannot be used. */
interface Unusable {
  readonly code: 'unfinished' | 'no-backup';
  /** What is wrong with a content that we do not write. */
  readonly problem: string;
  readonly hint?: string;
}

/**
 * @returns undefined when there is none; an error for a symlink, another user's file, or what we do not write
 * @throws KubepkiError no-permission, io
 */
export function readRecord<T>(
  state: StateDirectory,
  path: string,
  field: ObjectField<T>,
  { code, problem, hint }: Unusable,
): StoredRecord<T> | KubepkiError | undefined {
  const unusable = (message: string): KubepkiError => new KubepkiError(code, message, { file: path, hint });
  let bytes: Buffer | undefined;
  try {
    bytes = readOwn(path)?.bytes;
  } catch (error) {
    const isStrange = error instanceof KubepkiError && ['not-a-file', 'too-large'].includes(error.code);
    if (isStrange) return unusable(error.message);
    throw error;
  }
  if (bytes === undefined) return undefined;
  const stored = parseJson(bytes);
  if (!isRecord(stored) || stored['version'] !== 1) return unusable(problem);
  const { origin } = stored;
  const located = field.parse(stored);
  if (located === undefined || !isOrigin(origin)) return unusable(problem);
  return { locate: (command) => located(pathLocator(state, origin, command)) };
}

/** The file's content. */
export function recordBytes<T>(state: StateDirectory, field: ObjectField<T>, value: T): Buffer {
  const paths: string[] = [];
  // Which root they are relative to depends on all of them.
  field.store(value, (path) => {
    paths.push(path);
    return { in: 'root', path };
  });
  const { origin, store } = pathStore(state, paths);
  const stored = { version: 1, origin, ...field.store(value, store) };
  return Buffer.from(`${JSON.stringify(stored, undefined, 2)}\n`);
}

/**
 * A record that is the same on every node: it names no path.
 * @returns undefined for what we do not write
 */
export function parseSharedRecord<T>(field: ObjectField<T>, bytes: Buffer): T | undefined {
  const stored = parseJson(bytes);
  if (!isRecord(stored) || stored['version'] !== 1) return undefined;
  return field.parse(stored)?.({ locate: noPaths, show: noPaths });
}

function noPaths(): never {
  throw new TypeError('a record that is the same on every node names a path');
}

/** On disk when this returns; a reader sees the old record or the new one. Throws what node:fs throws. */
export function writeRecord<T>(state: StateDirectory, path: string, field: ObjectField<T>, value: T): void {
  replaceDurably(path, recordBytes(state, field, value));
}

/** A removed record is gone from the disk when this returns. Throws what node:fs throws. */
export function dropRecord(path: string): void {
  removeIfThere(path);
  removeHalfWritten(path);
  syncDirectory(dirname(path));
}

/** Removes what a run has left that was killed while it wrote the record. Throws what node:fs throws. */
export function removeHalfWritten(path: string): void {
  removeIfThere(`${path}.new`);
}

/** Whether it is one of our names beside that file: only such are ever removed. */
export function isStaged(staged: unknown, target: unknown): boolean {
  return (
    isStoredPath(staged) &&
    isStoredPath(target) &&
    staged.in === target.in &&
    isStagedPath(staged.path, target.path)
  );
}

function isOrigin(value: unknown): value is Origin {
  if (!isRecord(value) || !isAbsolute(value['certDir'])) return false;
  const { kubeconfigDir } = value;
  return (
    kubeconfigDir === null ||
    (isRecord(kubeconfigDir) && isAbsolute(kubeconfigDir['path']) && isText(kubeconfigDir['name']))
  );
}

function isAbsolute(value: unknown): value is string {
  return isText(value) && resolve('/', value) === value;
}

function isStoredPath(value: unknown): value is StoredPath {
  if (!isRecord(value)) return false;
  const { in: place, path } = value;
  const known = place === 'cert-dir' || place === 'kubeconfig-dir' || place === 'root';
  return known && isText(path) && !path.startsWith('/') && !path.includes('\0');
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null;
}

/** @returns undefined for what is not JSON */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
