import { dirname, join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readPartialKubeconfig } from '../kubeconfig/read.ts';
import { textOf } from './kubeconfig-text.ts';
import { parseRequest, type CertificationRequest } from '../pki/request/certification-request.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import type { Layout } from './layout.ts';
import { reading } from './reading.ts';
import {
  keySlot,
  otherCertificatePaths,
  readRequestFiles,
  readRequestFilesAt,
  readSlot,
  type KeySlot,
  type RequestFiles,
  type Slot,
} from './request-files.ts';

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
