import { KubepkiError } from '../errors/error.ts';
import { maxFileBytes, readRegularFile } from '../filesystem/regular-file.ts';
import { FileSystemRoot } from '../filesystem/root.ts';
import { workingDirectory } from './node-options.ts';
import { readStandardInput, standardInput } from './standard-input.ts';

/**
 * What `--rootfs-from` names, one on a line, or with a NUL after each as of `find -print0`; empty lines are passed over.
 * @param given a file, or `-` for standard input
 * @throws KubepkiError for a list that cannot be read, or that names nothing
 */
export async function readTreeList(given: string): Promise<readonly string[]> {
  const file = given === '-' ? standardInput : given;
  const bytes = given === '-' ? await readStandardInput(maxFileBytes) : readListFile(given);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) {
    throw new KubepkiError('io', 'is not UTF-8', { file });
  }
  const names = text.split(text.includes('\0') ? '\0' : /\r?\n/).filter((name) => name !== '');
  if (names.length > 0) return names;
  throw new KubepkiError('usage', 'names no directory', {
    file,
    hint: 'name the directories of --rootfs-from one on a line',
  });
}

function readListFile(given: string): Buffer {
  const here = FileSystemRoot.open(undefined, workingDirectory({ config: given }));
  const path = here.locate(given);
  const file = readRegularFile(here.resolve(path), given);
  if (file !== undefined) return file.bytes;
  throw new KubepkiError('not-found', 'no such file', {
    file: given,
    hint: 'name the file with the directories with --rootfs-from, or - for standard input',
  });
}
