import { join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { parseRequest, type CertificationRequest } from '../pki/certification-request.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/private-key.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readFile, reading, type Reading } from './reading.ts';

/** A file that may or may not be there: where it is or would be, and what it holds. */
export interface Slot<T> {
  readonly target: FileTarget;
  readonly content: Reading<T>;
}

/** What a CSR directory holds for one certificate, under kubeadm's flat names. */
export interface RequestFiles {
  readonly spec: CertificateSpec;
  /** `<name>.csr` */
  readonly request: Slot<CertificationRequest>;
  /** `<name>.key` */
  readonly key: Slot<PrivateKey>;
  /** `<name>.key.new`: where `<name>.key` is a key in use. */
  readonly newKey: Slot<PrivateKey>;
}

/**
 * @param directory host path; need not exist
 * @throws KubepkiError when a path cannot even be looked at
 */
export function readRequestFiles(
  root: FileSystemRoot,
  directory: string,
  spec: CertificateSpec,
): RequestFiles {
  const path = (suffix: string): string => join(directory, `${spec.name}.${suffix}`);
  return {
    spec,
    request: readSlot(root, path('csr'), parseRequest),
    key: readSlot(root, path('key'), parsePrivateKey),
    newKey: readSlot(root, path('key.new'), parsePrivateKey),
  };
}

export function readSlot<T>(root: FileSystemRoot, path: string, parse: (bytes: Buffer) => T): Slot<T> {
  const { target, bytes } = readFile(root, path);
  return { target, content: reading(path, () => bytes && parse(bytes)) };
}
