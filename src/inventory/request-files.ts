import { dirname, join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { isReachedByOthers } from '../filesystem/owner.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { Layout } from './layout.ts';
import { readFile, reading, textOf, type Reading } from './reading.ts';
import type { PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readPartialKubeconfig } from '../kubeconfig/read.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { parseRequest, type CertificationRequest } from '../pki/request/certification-request.ts';

/** A file that may or may not be there: where it is or would be, and what it holds. */
export interface Slot<T> {
  readonly target: FileTarget;
  readonly content: Reading<T>;
}

/** A key that a request may have been made with. */
export interface KeySlot extends Slot<PrivateKey> {
  /** Host path at which the certificate for this key is expected. */
  readonly certificatePath: string;
  /** Another user decides which file is at this place: the file, a directory or a symlink on the way is that user's. */
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
 * Under kubeadm's flat names in a CSR directory.
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
export function readRequestFilesAt(root: FileSystemRoot, base: string, spec: CertificateSpec): RequestFiles {
  const request = readSlot(root, `${base}.csr`, parseRequest);
  return {
    spec,
    request,
    key: keySlot(readSlot(root, `${base}.key`, parsePrivateKey), `${base}.crt`),
    newKey: keySlot(readSlot(root, `${base}.key.new`, parsePrivateKey), `${base}.crt.new`),
    otherPaths: otherCertificatePaths(request),
  };
}

export function keySlot(slot: Slot<PrivateKey>, certificatePath: string): KeySlot {
  const isInReach = slot.target.before?.foreign === true || isReachedByOthers(slot.target);
  return { ...slot, certificatePath, isInReach };
}

/** What other programs call a certificate, in PEM or not. Only beside a CSR: in the cert dir a file by such a name may be anything. */
export function otherCertificatePaths({ target, content }: Slot<CertificationRequest>): string[] {
  if (content.status === 'missing') return [];
  const base = target.path.replace(/\.csr$/, '');
  return ['pem', 'cer', 'der', 'p7b'].map((extension) => `${base}.${extension}`);
}

/** Never throws for a bad file: what cannot even be read as one is `unreadable`. */
export function readSlot<T>(root: FileSystemRoot, path: string, parse: (bytes: Buffer) => T): Slot<T> {
  const file = reading(path, () => readFile(root, path));
  if (file.status !== 'present') {
    return { target: { path, resolvedPath: path, before: undefined }, content: file };
  }
  const { target, bytes } = file.value;
  return { target, content: reading(path, () => bytes && parse(bytes)) };
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
   * Where the signed certificate is looked for besides: beside its CSR, by the names that other programs give
   * it, readable or not.
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

/** The key is in the kubeconfig itself. */
function besideKubeconfig(layout: Layout, spec: CertificateSpec): PendingFiles {
  const path = (suffix: string): string => join(layout.kubeconfigDir, `${spec.name}.${suffix}`);
  const certificatePath = path('crt');
  const key = embeddedKey(layout, spec.name);
  const request = readSlot(layout.root, path('csr'), parseRequest);
  return {
    spec,
    request,
    keys: key === undefined ? [] : [keySlot(key, certificatePath)],
    certificatePaths: [certificatePath],
    otherPaths: otherCertificatePaths(request),
  };
}

/** @returns undefined when the file is not there, or is no kubeconfig: then it holds no key for us */
export function readKubeconfigSlot(layout: Layout, name: string): Slot<PartialKubeconfig> {
  return readSlot(layout.root, join(layout.kubeconfigDir, name), (bytes) =>
    readPartialKubeconfig(textOf(bytes)),
  );
}

function embeddedKey(layout: Layout, name: string): Slot<PrivateKey> | undefined {
  const { target, content } = readKubeconfigSlot(layout, name);
  if (content.status !== 'present') return undefined;
  const { clientKey } = content.value;
  switch (clientKey.kind) {
    case 'absent':
      return undefined;
    case 'data':
      return { target, content: reading(target.path, () => parsePrivateKey(clientKey.bytes)) };
    case 'file':
      return readSlot(layout.root, layout.root.locate(clientKey.path, dirname(target.path)), parsePrivateKey);
  }
}

/**
 * Where a new request goes. kubeadm's layout: `etcd/server.key` and `.csr` in the cert dir; a kubeconfig that holds the
 * key, and `<name>.csr` beside it.
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
export function freePlaces({ root, certDir, kubeconfigDir }: Layout, spec: CertificateSpec): NewRequest {
  const free = (path: string, taken: string): FileTarget => {
    const { target } = readFile(root, path);
    if (target.before === undefined) return target;
    throw new KubepkiError('conflict', `file already exists: ${taken}`, {
      file: path,
      hint: 'nothing was changed; bring the signed certificates home with "kubepki certs install", or move the files away',
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
