import type { ChangeSet, FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';

/**
 * For files of which nothing more is known than their bytes.
 * @throws KubepkiError verification
 */
export function requireWritten(changes: ChangeSet, read: (target: FileTarget) => Buffer): void {
  for (const { target, after } of changes) {
    if (after === undefined || read(target).equals(after.content)) continue;
    throw new KubepkiError('verification', 'read back from disk, it is not what was to be written', {
      file: target.path,
    });
  }
}
