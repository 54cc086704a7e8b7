import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readFile } from './reading.ts';

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
