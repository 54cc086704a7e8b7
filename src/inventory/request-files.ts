import { join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import type { CommandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { isReachedByOthers } from '../filesystem/owner.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { parseRequest, type CertificationRequest } from '../pki/request/certification-request.ts';
import { readHeld, readKubeconfigSlot } from './kubeconfig-files.ts';
import type { Layout } from './layout.ts';
import { readFile, readSlot, type Slot } from './reading.ts';

/** A key that a request may have been made with. */
export interface KeySlot extends Slot<PrivateKey> {
  /** Host path at which the certificate for this key is expected. */
  readonly certificatePath: string;
  /** Another user decides which file is here: the file, a directory or a symlink on the way belongs to that user. */
  readonly isInReach: boolean;
}

/** The files of a request for one certificate. */
export interface RequestFiles {
  readonly spec: CertificateSpec;
  /** `<base>.csr` */
  readonly request: Slot<CertificationRequest>;
  /** `<base>.key`, for `<base>.crt` */
  readonly key: KeySlot;
  /** `<base>.key.new`, for `<base>.crt.new`: where `<base>.key` is a key in use. */
  readonly newKey: KeySlot;
  /** Host paths at which the certificate is looked for as well. */
  readonly otherPaths: readonly string[];
}

/**
 * Reads them under kubeadm's flat names in a CSR directory.
 * @param directory host path; need not exist
 * @throws KubepkiError when a path cannot even be looked at
 */
export function readRequestFiles(
  root: FileSystemRoot,
  directory: string,
  spec: CertificateSpec,
): RequestFiles {
  return readRequestFilesAt(root, join(directory, spec.name), spec);
}

/** @param base host path without extension */
function readRequestFilesAt(root: FileSystemRoot, base: string, spec: CertificateSpec): RequestFiles {
  const request = readSlot(root, `${base}.csr`, parseRequest);
  return {
    spec,
    request,
    key: keySlot(readSlot(root, `${base}.key`, parsePrivateKey), `${base}.crt`),
    newKey: keySlot(readSlot(root, `${base}.key.new`, parsePrivateKey), `${base}.crt.new`),
    otherPaths: otherCertificatePaths(request),
  };
}

function keySlot(slot: Slot<PrivateKey>, certificatePath: string): KeySlot {
  const isInReach = slot.target.before?.foreign === true || isReachedByOthers(slot.target);
  return { ...slot, certificatePath, isInReach };
}

/**
 * What other programs call a certificate, in PEM or not. Such files are looked for only beside a CSR: in the cert dir a file by
 * such a name may be anything.
 */
function otherCertificatePaths({ target, content }: Slot<CertificationRequest>): string[] {
  if (content.status === 'missing') return [];
  const base = target.path.replace(/\.csr$/, '');
  return ['pem', 'cer', 'der', 'p7b'].map((extension) => `${base}.${extension}`);
}

/** A request and what belongs to it. */
export interface PendingFiles {
  readonly spec: CertificateSpec;
  readonly request: Slot<CertificationRequest>;
  /** The keys that may be its own, in the order in which they are tried. */
  readonly keys: readonly KeySlot[];
  /** Every host path at which a signed certificate is expected. */
  readonly certificatePaths: readonly string[];
  /**
   * The signed certificate is looked for here as well: beside its CSR, by the names that other programs give it, readable or not.
   */
  readonly otherPaths: readonly string[];
}

/**
 * Where requests for a certificate may wait: under the flat names of `renew --csr-only` in a directory, and, when that
 * is the cert dir, where `generate-csr` puts them (`etcd/server.csr`, `admin.conf.csr` beside the kubeconfig).
 */
export function readPendingFiles(layout: Layout, directory: string, spec: CertificateSpec): PendingFiles[] {
  const { root, certDir, kubeconfigDir } = layout;
  const isDirectory = (other: string): boolean => root.resolve(directory) === root.resolve(other);
  const flat = pendingFiles(readRequestFiles(root, directory, spec));
  if (spec.kind === 'kubeconfig') {
    const beside = besideKubeconfig(layout, spec);
    // The two directories are one place: the key may be in either file.
    if (isDirectory(kubeconfigDir)) return [{ ...flat, keys: [...flat.keys, ...beside.keys] }];
    return isDirectory(certDir) ? [flat, beside] : [flat];
  }
  return spec.baseName === spec.name || !isDirectory(certDir)
    ? [flat]
    : [flat, pendingFiles(readRequestFilesAt(root, join(certDir, spec.baseName), spec))];
}

function pendingFiles({ spec, request, key, newKey, otherPaths }: RequestFiles): PendingFiles {
  const keys = [newKey, key];
  const certificatePaths = keys.map(({ certificatePath }) => certificatePath);
  return { spec, request, keys, certificatePaths, otherPaths };
}

/** The request of a kubeconfig, which holds the key itself. */
function besideKubeconfig(layout: Layout, spec: CertificateSpec): PendingFiles {
  const path = (suffix: string): string => join(layout.kubeconfigDir, `${spec.name}.${suffix}`);
  const certificatePath = path('crt');
  const { target, content } = readKubeconfigSlot(layout, spec.name);
  // A file that is no kubeconfig holds no key for us.
  const held = content.status === 'present' ? content.value.clientKey : ({ kind: 'absent' } as const);
  const request = readSlot(layout.root, path('csr'), parseRequest);
  return {
    spec,
    request,
    keys:
      held.kind === 'absent'
        ? []
        : [keySlot(readHeld(layout.root, target, held, parsePrivateKey), certificatePath)],
    certificatePaths: [certificatePath],
    otherPaths: otherCertificatePaths(request),
  };
}

/**
 * Where a new request goes in kubeadm's layout: `etcd/server.key` and `.csr` in the cert dir, or a kubeconfig that holds the key,
 * and `<name>.csr` beside it.
 */
export interface NewRequest {
  readonly spec: CertificateSpec;
  /** The key, or the kubeconfig that holds it. */
  readonly key: FileTarget;
  readonly request: FileTarget;
}

/**
 * The places of a new request, which must be free: nothing is overwritten.
 * @throws KubepkiError conflict, in kubeadm's words
 */
export function freePlaces(
  { root, certDir, kubeconfigDir }: Layout,
  spec: CertificateSpec,
  command: CommandLine,
): NewRequest {
  const free = (path: string, taken: string): FileTarget => {
    const { target } = readFile(root, path);
    if (target.before === undefined) return target;
    throw new KubepkiError('conflict', `file already exists: ${taken}`, {
      file: path,
      hint: `nothing was changed; bring the signed certificates home (${command('install')}), or move the files away`,
    });
  };
  if (spec.kind === 'leaf') {
    const base = join(certDir, spec.baseName);
    const taken = `key or CSR ${base}`;
    return { spec, key: free(`${base}.key`, taken), request: free(`${base}.csr`, taken) };
  }
  const file = join(kubeconfigDir, spec.name);
  return {
    spec,
    key: free(file, `kube config: ${file}`),
    request: free(`${file}.csr`, `csr: ${file}.csr`),
  };
}
