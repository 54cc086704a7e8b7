import { KubepkiError } from '../../errors/error.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { readUsersSlot } from '../../inventory/kubeconfig-files.ts';
import type { CopyFile } from '../../operations/renewal/admin-copies.ts';
import { requireSafeTargets } from '../../storage/safe-targets.ts';

/**
 * Reads the kubeconfigs that were named as copies, each file once. A user's home is the user's: what makes a file there no place for
 * root to write to is known before the change, which it would stop.
 * @param paths as typed
 */
export function readCopyFiles(root: FileSystemRoot, paths: readonly string[]): CopyFile[] {
  const copies = new Map<string, CopyFile>();
  for (const path of paths) {
    const slot = readUsersSlot(root, root.locate(path));
    copies.set(slot.target.resolvedPath, { ...slot, unsafe: whyUnsafe(root, slot) });
  }
  return [...copies.values()];
}

function whyUnsafe(root: FileSystemRoot, { target }: Pick<CopyFile, 'target'>): KubepkiError | undefined {
  try {
    requireSafeTargets(root, [target]);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return error;
  }
}
