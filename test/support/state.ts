import { dirname } from 'node:path';
import { FileSystemRoot } from '../../src/filesystem/root.ts';
import { stateDirectoryOf, type StateDirectory } from '../../src/storage/state-directory.ts';

/**
 * The state of a cert dir, as the program would open it.
 * @param place `root`: what stands for `/`; the kubeconfig dir is the directory around the cert dir, unless given
 */
export function stateFor(
  certDir: string,
  place: { readonly root?: string; readonly kubeconfigDir?: string } = {},
): StateDirectory {
  const { root, kubeconfigDir = dirname(certDir) } = place;
  return stateDirectoryOf({ root: FileSystemRoot.open(root, '/'), certDir, kubeconfigDir, flags: [] });
}
