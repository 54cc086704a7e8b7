import type { FileTarget, Naming } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

/** What became of reading something: one bad file is a value, so that the others are still read. */
export type Reading<T> =
  | { readonly status: 'present'; readonly value: T }
  | { readonly status: 'missing' }
  | { readonly status: 'unreadable'; readonly error: KubepkiError };

/** A file's bytes together with what a change to it is made against. */
interface FileReading {
  readonly target: FileTarget;
  readonly bytes: Buffer | undefined;
}

/** @throws KubepkiError with `file` */
export function readFile(root: FileSystemRoot, path: string): FileReading {
  const resolvedPath = root.resolve(path);
  const file = readRegularFile(resolvedPath, path);
  if (file === undefined) return { target: { path, resolvedPath, before: undefined }, bytes: undefined };
  return { target: { path, resolvedPath, before: file.facts }, bytes: file.bytes };
}

/** What a kubeconfig that was read says of the files it names: whose word it is. */
export function namingOf({ path, before }: FileTarget): Naming | undefined {
  return before && { path, uid: before.uid, foreign: before.foreign };
}

/** The same file, as one that a kubeconfig leads to. */
export function named(target: FileTarget, namedBy: Naming | undefined): FileTarget {
  return namedBy === undefined ? target : { ...target, namedBy };
}

/** Turns a thrown KubepkiError into an `unreadable` that names the file; undefined becomes `missing`. */
export function reading<T>(file: string, read: () => T | undefined): Reading<T> {
  try {
    const value = read();
    return value === undefined ? { status: 'missing' } : { status: 'present', value };
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return { status: 'unreadable', error: error.about(file) };
  }
}

/**
 * A rewrite replaces a few characters and must give back every other byte.
 * @throws KubepkiError bad-kubeconfig
 */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) throw new KubepkiError('bad-kubeconfig', 'is not UTF-8');
  return text;
}
