import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { certificates } from '../catalog/catalog.ts';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

// kubeadm's defaults; it knows no other kubeconfig dir.
const defaultCertDir = '/etc/kubernetes/pki';
const defaultKubeconfigDir = '/etc/kubernetes';

/** Where a node's files are. Directories are host paths, symlinks not yet resolved. */
export interface Layout {
  readonly root: FileSystemRoot;
  readonly certDir: string;
  readonly kubeconfigDir: string;
  /**
   * How the kubeconfig dir was found: `given` on the command line, `beside` the cert dir, or kubeadm's `default`. Only
   * under `default` may the kubeconfigs belong to another cluster than the certificates.
   */
  readonly kubeconfigDirOrigin: 'given' | 'beside' | 'default';
}

/**
 * @param given host paths from the command line or the configuration
 * @throws KubepkiError not-found, not-a-file, no-permission for a directory that is not there
 */
export function locateLayout(
  root: FileSystemRoot,
  given: { readonly certDir: string | undefined; readonly kubeconfigDir: string | undefined },
): Layout {
  const certDir = given.certDir ?? root.locate(defaultCertDir);
  requireDirectory(root, certDir, 'name the directory with --cert-dir');
  if (given.kubeconfigDir !== undefined) {
    requireDirectory(root, given.kubeconfigDir, 'name the directory with --kubeconfig-dir');
    return { root, certDir, kubeconfigDir: given.kubeconfigDir, kubeconfigDirOrigin: 'given' };
  }
  const beside = dirname(certDir);
  return holdsKubeconfigs(root, beside)
    ? { root, certDir, kubeconfigDir: beside, kubeconfigDirOrigin: 'beside' }
    : { root, certDir, kubeconfigDir: root.locate(defaultKubeconfigDir), kubeconfigDirOrigin: 'default' };
}

/** The same for directories that need not be there yet. */
export function plannedLayout(
  root: FileSystemRoot,
  given: { readonly certDir: string | undefined; readonly kubeconfigDir: string | undefined },
): Layout {
  return {
    root,
    certDir: given.certDir ?? root.locate(defaultCertDir),
    kubeconfigDir: given.kubeconfigDir ?? root.locate(defaultKubeconfigDir),
    kubeconfigDirOrigin: 'given',
  };
}

function holdsKubeconfigs(root: FileSystemRoot, directory: string): boolean {
  return certificates.some(({ kind, name }) => {
    if (kind !== 'kubeconfig') return false;
    const path = join(directory, name);
    return exists(root.resolve(path), path);
  });
}

function requireDirectory(root: FileSystemRoot, directory: string, hint: string): void {
  try {
    if (statSync(root.resolve(directory)).isDirectory()) return;
  } catch (cause) {
    const error = filesystemError(cause, directory);
    if (error.code !== 'not-found') throw error;
    throw new KubepkiError('not-found', 'no such directory', { file: directory, hint, cause });
  }
  throw new KubepkiError('not-a-file', 'is not a directory', { file: directory, hint });
}
