import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { replacePublicFile, requireDirectory } from './public-file.ts';
import { requireSafeTargets } from './safe-targets.ts';

/** A file of metrics for node_exporter's textfile collector, which reads it at any moment. */
export interface Textfile {
  /** Host path, for messages. */
  readonly path: string;
  /** The file's own name in its directory without symlinks. A link of that name is replaced, never followed. */
  readonly target: string;
  /** The end of what it holds now, where ours says what became of `renew`; undefined: nothing of ours. */
  readonly end: string | undefined;
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
  return { path, target, end: endOf(target, path) };
}

/**
 * Its temporary name begins with a dot and does not end in `.prom`, which is what node_exporter reads.
 * @throws KubepkiError
 */
export function writeTextfile({ path, target }: Textfile, texts: Iterable<string>): void {
  replacePublicFile(target, encoded(texts), path);
}

function* encoded(texts: Iterable<string>): Generator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

// The metrics of a thousand nodes are 14 MB.
const maxMetricsBytes = 256 * 1024 * 1024;
const endBytes = 4096;

/** A slip of the pen must not cost a key: what is replaced is nothing, or metrics, or at least called so. */
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
