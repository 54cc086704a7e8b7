import { linkSync, lstatSync, symlinkSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { onFile } from '../filesystem/filesystem-error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { removeIfThere, rename, stagedPathFor, syncDirectory } from './durable.ts';
import { inItsDirectory } from './in-directory.ts';

/**
 * Gives a file `…-current.pem` a second name with the date, and puts a link to that in its place: the kubelet replaces nothing but
 * such a link when it rotates. What is read at that path is the same before, in between, and afterwards.
 * @param path host path
 * @throws KubepkiError no-permission, io; then the file is as it was
 */
export function linkToDated(root: FileSystemRoot, path: string, now: Date): void {
  const resolvedPath = root.resolve(path);
  const name = basename(resolvedPath).replace(/current\.pem$/, `${dateIn(now)}.pem`);
  onFile(path, () => {
    if (!lstatSync(resolvedPath).isFile() || name === basename(resolvedPath)) return;
    const staged = stagedPathFor(resolvedPath);
    inItsDirectory(resolvedPath, (file) => {
      const dated = join(dirname(file), name);
      linkSync(file, dated);
      try {
        // As client-go has it: an absolute path, which is one inside the root.
        symlinkSync(join(dirname(root.display(resolvedPath)), name), join(dirname(file), basename(staged)));
        rename(staged, resolvedPath);
      } catch (error) {
        removeIfThere(staged);
        unlinkSync(dated);
        throw error;
      }
    });
    syncDirectory(dirname(resolvedPath));
  });
}

/** client-go's `2006-01-02-15-04-05`. */
function dateIn(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
}
