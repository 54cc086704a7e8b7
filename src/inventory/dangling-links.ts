import { KubepkiError } from '../errors/error.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

/**
 * A link that leads nowhere is a disk that is not mounted, not a place for something new: once it is mounted, what is on it
 * would be hidden, or hide what was made.
 * @throws KubepkiError not-found
 */
export function requireNoDanglingLink(root: FileSystemRoot, path: string): void {
  const link = root.linksOnTheWay(path).find((one) => !exists(root.resolve(one), one));
  if (link === undefined) return;
  throw new KubepkiError('not-found', `the symbolic link ${link} leads to something that is not there`, {
    file: path,
    hint: 'mount what it leads to, or remove the link',
  });
}
