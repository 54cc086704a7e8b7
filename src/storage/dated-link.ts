import { linkSync, lstatSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onFile } from '../filesystem/filesystem-error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { syncDirectory } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';

/**
 * Gives a file `…-current.pem` a second name with the date, and puts a link to that in its place: the kubelet replaces nothing but
 * such a link when it rotates. What is read at that path is the same before, in between, and afterwards.
 * @param path host path
 * @throws KubepkiError no-permission, io; then the file is as it was
 */
export function linkToDated(root: FileSystemRoot, path: string, now: Date): void {
  const resolvedPath = root.resolve(path);
  const name = basename(resolvedPath);
  if (!name.endsWith(current)) return;
  const prefix = name.slice(0, -current.length);
  const dated = `${prefix}${dateIn(now)}.pem`;
  onFile(path, () => {
    if (!lstatSync(resolvedPath).isFile()) return;
    inItsDirectory(resolvedPath, (file) => {
      const beside = (other: string): string => join(dirname(file), other);
      linkSync(file, beside(dated));
      try {
        // client-go's own name for it: what a crash leaves here the kubelet takes away when it rotates.
        const updated = beside(`${prefix}updated.pem`);
        if (isLink(updated)) unlinkSync(updated);
        // As client-go has it: an absolute path, which is one inside the root.
        symlinkSync(join(dirname(root.display(resolvedPath)), dated), updated);
        renameSync(updated, file);
      } catch (error) {
        unlinkSync(beside(dated));
        throw error;
      }
    });
    syncDirectory(dirname(resolvedPath));
  });
}

const current = 'current.pem';

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/** client-go's `2006-01-02-15-04-05`. */
function dateIn(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
}
