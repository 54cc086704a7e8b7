import type { KubepkiError } from '../../errors/error.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { readUsersSlot } from '../../inventory/kubeconfig-files.ts';
import type { CopyFile } from '../../operations/renewal/admin-copies.ts';
import { whyUnsafe } from '../../storage/safe-targets.ts';

/**
 * Reads the kubeconfigs that were named as copies, each file once. A user's home is the user's: what makes a file there no place for
 * root to write to is known before the change, which it would stop.
 * @param paths as typed
 * @param givenUp why a file is left as it is, by its host path
 */
export function readCopyFiles(
  root: FileSystemRoot,
  paths: readonly string[],
  givenUp: ReadonlyMap<string, KubepkiError> = new Map(),
): CopyFile[] {
  const copies = new Map<string, CopyFile>();
  for (const path of paths) {
    const slot = readUsersSlot(root, root.locate(path));
    const target = { ...slot.target, yields: true } as const;
    copies.set(target.resolvedPath, {
      ...slot,
      target,
      unsafe: givenUp.get(target.path) ?? whyUnsafe(root, target),
    });
  }
  return [...copies.values()];
}
