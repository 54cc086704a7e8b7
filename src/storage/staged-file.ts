import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';

/**
 * A name beside a resolved target, so that the rename stays on one file system. It begins with a dot and does not end
 * like a certificate: nothing that watches the directory takes it for one. The name cannot be guessed.
 */
export function stagedPathFor(resolvedPath: string): string {
  const name = `.${basename(resolvedPath)}.kubepki-${randomBytes(6).toString('hex')}`;
  return join(dirname(resolvedPath), name);
}

/** Whether a journal's word for a staged file is one of our names beside that target: only such are ever removed. */
export function isStagedPath(path: string, resolvedPath: string): boolean {
  return (
    dirname(path) === dirname(resolvedPath) &&
    basename(path).startsWith(`.${basename(resolvedPath)}.kubepki-`) &&
    isStagedName(basename(path))
  );
}

export function isStagedName(name: string): boolean {
  return /^\..+\.kubepki-[0-9a-f]{12}$/.test(name);
}
