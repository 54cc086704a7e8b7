import { lstatSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { onFile } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { createDurably, removeIfThere, rename, stagedPathFor, syncDirectory } from './durable.ts';
import { requireSafeTargets } from './safe-targets.ts';

interface PublicFile {
  readonly name: string;
  readonly text: string;
}

interface WrittenFile {
  readonly path: string;
  readonly outcome: 'written' | 'unchanged';
}

/**
 * Puts files that every user may read (0644) into a directory, each in one step. A file that is there and says something else stays,
 * and then none is written, unless `force` is given.
 * @param directory a host path
 * @throws KubepkiError not-found, not-a-file, no-permission, conflict
 */
export function writePublicFiles(
  directory: string,
  files: readonly PublicFile[],
  { force }: { readonly force: boolean },
): readonly WrittenFile[] {
  requireDirectory(directory, directory);
  const planned = files.map(({ name, text }) => {
    const path = join(directory, name);
    return { path, text, outcome: contentOf(path) === text ? 'unchanged' : 'written' } as const;
  });
  const changed = planned.filter(({ outcome }) => outcome === 'written');
  const other = changed.find(({ path }) => contentOf(path) !== undefined);
  if (other !== undefined && !force) {
    throw new KubepkiError('conflict', 'is there and says something else, so nothing was written', {
      file: other.path,
      hint: `look at it: cat ${shellWord(other.path)}; to replace it: --force`,
    });
  }
  for (const { path, text } of changed) replacePublicFile(path, [text], path);
  return planned.map(({ path, outcome }) => ({ path, outcome }));
}

function requireDirectory(directory: string, shownPath: string): void {
  if (onFile(shownPath, () => statSync(directory)).isDirectory()) return;
  throw new KubepkiError('not-a-file', 'is not a directory', { file: shownPath });
}

/** @throws KubepkiError not-a-file for a symlink too: systemctl mask makes such a link, and has its reasons */
function contentOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() === true) {
    throw new KubepkiError('not-a-file', 'is a symbolic link, and is not replaced', {
      file: path,
      hint: `see where it leads, then remove it: ls -l ${shellWord(path)}`,
    });
  }
  return readRegularFile(path, path)?.bytes.toString('utf8');
}

/**
 * Finds out whether a new file can be made there, before anything else is done.
 * @throws KubepkiError conflict where something is there; not-found, not-a-file, no-permission
 */
export function requireNewFile(root: FileSystemRoot, given: string): { path: string; target: string } {
  const path = root.locate(given);
  const directory = root.resolve(dirname(path));
  requireDirectory(directory, dirname(path));
  const target = join(directory, basename(path));
  requireSafeTargets(root, [{ path, resolvedPath: target, before: undefined }]);
  if (onFile(path, () => lstatSync(target, { throwIfNoEntry: false })) === undefined) return { path, target };
  throw new KubepkiError('conflict', 'is there already, and is not replaced', {
    file: path,
    hint: 'give another name, or remove it first',
  });
}

/**
 * Makes a file that must not be there yet, complete and on disk when this returns, and with its mode before its first byte.
 * @returns its host path
 * @throws KubepkiError conflict where something is there; not-found, not-a-file, no-permission, io
 */
export function writeNewFile(
  root: FileSystemRoot,
  given: string,
  content: Buffer,
  mode: 0o600 | 0o644,
): string {
  const { path, target } = requireNewFile(root, given);
  onFile(path, () => {
    createDurably(target, content, { mode, owner: undefined });
    syncDirectory(dirname(target));
  });
  return path;
}

/** Writes the file under a temporary name and renames it: no reader sees half of it. */
function replacePublicFile(path: string, texts: Iterable<string>, shownPath: string): void {
  onFile(shownPath, () => {
    const target = join(realpathSync(dirname(path)), basename(path));
    const staged = stagedPathFor(target);
    createDurably(staged, encoded(texts), { mode: 0o644, owner: undefined });
    try {
      rename(staged, target);
    } catch (cause) {
      removeIfThere(staged);
      throw cause;
    }
    syncDirectory(dirname(target));
  });
}

function* encoded(texts: Iterable<string>): Generator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

/** A file of metrics for node_exporter's textfile collector, which reads it at any moment. */
export interface Textfile {
  /** Host path, for messages. */
  readonly path: string;
  /** The file's own name in its directory without symlinks. A link of that name is replaced, never followed. */
  readonly target: string;
  /** The end of its content, where our metrics say what became of `renew`; undefined: there is no such file. */
  readonly end: string | undefined;
}

/**
 * Finds out whether metrics can be written there, before anything else is done.
 * @throws KubepkiError not-found, not-a-file, no-permission, conflict
 */
export function openTextfile(root: FileSystemRoot, given: string): Textfile {
  const path = root.locate(given);
  const directory = root.resolve(dirname(path));
  requireDirectory(directory, dirname(path));
  const target = join(directory, basename(path));
  requireSafeTargets(root, [{ path: dirname(path), resolvedPath: directory, before: undefined }]);
  return { path, target, end: endOf(target, path) };
}

/**
 * Its temporary name begins with a dot and does not end in `.prom`, which is what node_exporter reads.
 * @throws KubepkiError
 */
export function writeTextfile({ path, target }: Textfile, texts: Iterable<string>): void {
  replacePublicFile(target, texts, path);
}

// The metrics of a thousand nodes are 14 MB.
const maxMetricsBytes = 256 * 1024 * 1024;
const endBytes = 4096;

/** A slip of the pen must not cost a key: only metrics are replaced, or a file whose name says that it holds such. */
function endOf(target: string, path: string): string | undefined {
  const stats = lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const isMetricsByName = path.endsWith('.prom');
  if (stats.isSymbolicLink() && isMetricsByName) return undefined;
  const bytes = readRegularFile(target, path, maxMetricsBytes)?.bytes ?? Buffer.alloc(0);
  const isMetrics = bytes.length === 0 || bytes.subarray(0, 7).toString('latin1') === '# HELP ';
  if (isMetricsByName || isMetrics) return bytes.subarray(-endBytes).toString('utf8');
  throw new KubepkiError('conflict', 'is there and holds no metrics, so it is not replaced', {
    file: path,
    hint: 'name a file that ends in .prom, which is what node_exporter reads',
  });
}
