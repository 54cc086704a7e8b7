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
  /** The static pods' manifests are in it. */
  readonly manifestsDir: string;
}

/** Host paths from the command line or the configuration; undefined: not given. */
interface GivenDirectories {
  readonly certDir: string | undefined;
  readonly kubeconfigDir: string | undefined;
  readonly manifestsDir: string | undefined;
}

/** @throws KubepkiError not-found, not-a-file, no-permission for a directory that is not there */
export function locateLayout(root: FileSystemRoot, given: GivenDirectories): Layout {
  const certDir = given.certDir ?? root.locate(defaultCertDir);
  requireDirectory(root, certDir, 'name the directory with --cert-dir');
  if (given.kubeconfigDir !== undefined) {
    requireDirectory(root, given.kubeconfigDir, 'name the directory with --kubeconfig-dir');
  }
  const found = kubeconfigDirOf(root, certDir, given.kubeconfigDir);
  const layout = { root, certDir, ...found, manifestsDir: join(found.kubeconfigDir, 'manifests') };
  return given.manifestsDir === undefined ? layout : withManifestsDir(layout, given.manifestsDir);
}

/** The layout with another directory of manifests. @throws KubepkiError not-found, not-a-file, no-permission */
export function withManifestsDir(layout: Layout, manifestsDir: string): Layout {
  requireDirectory(layout.root, manifestsDir, 'name the directory with --manifests-dir');
  return { ...layout, manifestsDir };
}

/** The layout of directories that need not be there yet. */
export function plannedLayout(root: FileSystemRoot, given: GivenDirectories): Layout {
  const kubeconfigDir = given.kubeconfigDir ?? root.locate(defaultKubeconfigDir);
  return {
    root,
    certDir: given.certDir ?? root.locate(defaultCertDir),
    kubeconfigDir,
    kubeconfigDirOrigin: 'given',
    manifestsDir: given.manifestsDir ?? join(kubeconfigDir, 'manifests'),
  };
}

/**
 * Whether these are this node's own files, as far as can be told: its kubeconfigs are kubeadm's, in no other root. False
 * for a copy, a backup, another node's disk.
 * @throws KubepkiError no-permission, io
 */
export function isOwnNode(root: FileSystemRoot, { certDir, kubeconfigDir }: GivenDirectories): boolean {
  if (root.directory !== '/') return false;
  const found = kubeconfigDirOf(root, certDir ?? root.locate(defaultCertDir), kubeconfigDir);
  return hasKubeadmsKubeconfigDir({ root, ...found });
}

/**
 * Whether the kubeconfigs are where kubeadm has them in this root, and so go with the other files there.
 * @throws KubepkiError no-permission, io
 */
export function hasKubeadmsKubeconfigDir({
  root,
  kubeconfigDir,
}: Pick<Layout, 'root' | 'kubeconfigDir'>): boolean {
  return root.resolve(kubeconfigDir) === root.resolve(root.locate(defaultKubeconfigDir));
}

function kubeconfigDirOf(
  root: FileSystemRoot,
  certDir: string,
  given: string | undefined,
): Pick<Layout, 'kubeconfigDir' | 'kubeconfigDirOrigin'> {
  if (given !== undefined) return { kubeconfigDir: given, kubeconfigDirOrigin: 'given' };
  const beside = dirname(certDir);
  return holdsKubeconfigs(root, beside)
    ? { kubeconfigDir: beside, kubeconfigDirOrigin: 'beside' }
    : { kubeconfigDir: root.locate(defaultKubeconfigDir), kubeconfigDirOrigin: 'default' };
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

/**
 * A link that leads nowhere tells of a disk that is not mounted, and is no place for a new file: once the disk is mounted, its files
 * would be hidden, or hide the new one.
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
