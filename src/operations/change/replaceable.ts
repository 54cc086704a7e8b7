import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';

/**
 * A kubeconfig or a symlink may name any file; a CA's key or the service-account key is never replaced.
 * @throws KubepkiError conflict
 */
export function requireReplaceable({ protectedPaths }: Inventory, targets: readonly FileTarget[]): void {
  for (const target of targets) {
    if (!protectedPaths.has(target.resolvedPath)) continue;
    throw new KubepkiError(
      'conflict',
      'is the file of a CA or of the service-account key, and is never replaced',
      {
        file: target.path,
        hint: 'give the certificate and its key files of their own',
      },
    );
  }
}
