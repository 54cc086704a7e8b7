import { join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { parseRequest, type CertificationRequest } from '../pki/request/certification-request.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/key/private-key.ts';
import { isReachedByOthers } from '../filesystem/reach.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readFile, reading, type Reading } from './reading.ts';

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
