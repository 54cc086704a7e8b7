import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { replacePublicFile, requireDirectory } from './public-file.ts';
import { requireSafeTargets } from './safe-targets.ts';

/** A file of metrics for node_exporter's textfile collector: somebody else reads it at any moment. */
export interface Textfile {
  /** Host path, for messages. */
  readonly path: string;
  /** The file's own name in its directory without symlinks. A link of that name is replaced, never followed. */
  readonly target: string;
  /** What it holds now; undefined: nothing of ours. */
  readonly content: string | undefined;
}

/**
 * Finds out whether such a file can be there, before anything else is done.
 * @throws KubepkiError not-found, not-a-file, no-permission, conflict
 */
export function openTextfile(root: FileSystemRoot, given: string): Textfile {
  const path = root.locate(given);
  const directory = root.resolve(dirname(path));
  requireDirectory(directory, dirname(path));
  const target = join(directory, basename(path));
  requireSafeTargets(root, [{ path: dirname(path), resolvedPath: directory, before: undefined }]);
  return { path, target, content: contentOf(target, path) };
}

/**
 * Its temporary name begins with a dot and does not end in `.prom`, which is what node_exporter reads.
 * @throws KubepkiError
 */
export function writeTextfile({ path, target }: Textfile, text: string): void {
  replacePublicFile(target, text, path);
}

/** A slip of the pen must not cost a key: what is replaced is nothing, or metrics, or at least called so. */
function contentOf(target: string, path: string): string | undefined {
  const stats = lstatSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  const isMetricsByName = path.endsWith('.prom');
  if (stats.isSymbolicLink() && isMetricsByName) return undefined;
  const text = readRegularFile(target, path)?.bytes.toString('utf8') ?? '';
  if (isMetricsByName || text === '' || text.startsWith('# HELP ')) return text;
  throw new KubepkiError('conflict', 'is there and holds no metrics, so it is not replaced', {
    file: path,
    hint: 'name a file that ends in .prom, which is what node_exporter reads',
  });
}
