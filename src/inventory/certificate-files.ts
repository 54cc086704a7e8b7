import { join } from 'node:path';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { parseCertificates, type Chain } from '../pki/certificate/certificate.ts';
import { readDirectory, readFile, readSlot, type Reading } from './reading.ts';

/** A file of certificates, as a CA gives them back. */
export interface CertificateFile {
  readonly target: FileTarget;
  readonly content: Reading<Chain>;
}

/** Reads one file, there or not. */
export function readCertificateFile(root: FileSystemRoot, path: string): CertificateFile {
  return readSlot(root, path, parseCertificates);
}

/**
 * Every `*.crt`, `*.crt.new`, `*.pem` and `*.cer` in a directory.
 * @param directory host path; need not exist
 * @throws KubepkiError no-permission, not-a-file, io
 */
export function readCertificateFiles(root: FileSystemRoot, directory: string): CertificateFile[] {
  return readDirectory(root, directory)
    .map(({ name }) => name)
    .filter((name) => /\.(?:crt(?:\.new)?|pem|cer)$/.test(name))
    .sort()
    .map((name) => readCertificateFile(root, join(directory, name)));
}

/** A certificate and its key as they stand in their files, for a TLS handshake as a client. PEM. */
export interface TlsIdentity {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

/**
 * @param certificateFile host path
 * @param keyFile host path
 * @throws KubepkiError
 */
export function readTlsIdentity(
  root: FileSystemRoot,
  { certificateFile, keyFile }: { readonly certificateFile: string; readonly keyFile: string },
): TlsIdentity {
  return { certificate: readPresent(root, certificateFile), key: readPresent(root, keyFile) };
}

/** @throws KubepkiError also when it is not there */
export function readPresent(root: FileSystemRoot, path: string): Buffer {
  const { bytes } = readFile(root, path);
  if (bytes === undefined) throw new KubepkiError('not-found', 'no such file', { file: path });
  return bytes;
}
