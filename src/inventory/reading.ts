import type { Dirent } from 'node:fs';
import type { FileTarget, Naming } from '../changeset/change-set.ts';
import { KubepkiError, naming } from '../errors/error.ts';
import { entriesIn } from '../filesystem/filesystem-error.ts';
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

/** Whose word it is where a kubeconfig names a file. */
export function namingOf({ path, before }: FileTarget): Naming | undefined {
  return before && { path, uid: before.uid, foreign: before.foreign };
}

/** The file as one that a kubeconfig leads to. */
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

/** A file that may or may not be there: where it is or would be, and what it holds. */
export interface Slot<T> {
  readonly target: FileTarget;
  readonly content: Reading<T>;
}

/** Never throws for a bad file: one that cannot even be opened is `unreadable`. */
export function readSlot<T>(root: FileSystemRoot, path: string, parse: (bytes: Buffer) => T): Slot<T> {
  const file = reading(path, () => readFile(root, path));
  if (file.status !== 'present') {
    return { target: { path, resolvedPath: path, before: undefined }, content: file };
  }
  const { target, bytes } = file.value;
  return { target, content: reading(path, () => bytes && parse(bytes)) };
}

/** What is in a directory; nothing where it is not there. @throws KubepkiError no-permission, not-a-file, io */
export function readDirectory(root: FileSystemRoot, directory: string): Dirent[] {
  return naming(directory, () => entriesIn(root.resolve(directory), directory));
}
