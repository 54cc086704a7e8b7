import { statSync } from 'node:fs';
import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { entriesIn } from '../filesystem/filesystem-error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

/**
 * What `--from` names: a file, or each file of a directory that ends in `.json`.
 * @throws KubepkiError for a directory without one
 */
export function filesAt(root: FileSystemRoot, given: string): readonly string[] {
  const path = root.locate(given);
  const resolved = root.resolve(path);
  if (statSync(resolved, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  const names = entriesIn(resolved, path).map(({ name }) => name);
  const files = names.filter((name) => name.endsWith('.json')).sort();
  if (files.length > 0) return files.map((name) => join(path, name));
  throw new KubepkiError('not-found', 'has no file in it that ends in .json', { file: path });
}
