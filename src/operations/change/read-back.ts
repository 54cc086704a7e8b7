import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';

/**
 * For a file of which nothing more is known than its bytes.
 * @param content undefined: the file goes away
 * @throws KubepkiError verification
 */
export function requireWritten(
  target: FileTarget,
  content: Buffer | undefined,
  read: (target: FileTarget) => Buffer,
): void {
  if (content === undefined || read(target).equals(content)) return;
  throw new KubepkiError('verification', 'read back from disk, it is not what was to be written', {
    file: target.path,
  });
}
