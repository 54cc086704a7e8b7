import { KubepkiError, naming } from '../../errors/error.ts';
import { readRegularFile, sha256 } from '../../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import type { Transfer } from '../../operations/rotation/transfer.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { isTransfer, readTransfer } from '../../transfer/transfer.ts';
import { parseWhole } from './whole-certificates.ts';

/** What a file says is to be trusted: renewed certificates of CAs that the node has, or the CAs of a rotation at a stage. */
export type GivenAuthorities = GivenCertificates | GivenRotation;

export interface GivenCertificates {
  readonly kind: 'renewed';
  /** Host path. */
  readonly path: string;
  readonly certificates: Chain;
}

export interface GivenRotation {
  readonly kind: 'rotation';
  /** Host path. */
  readonly path: string;
  readonly sha256: string;
  readonly transfer: Transfer;
}

/** The one place that knows which files `ca trust` takes. @throws KubepkiError */
export function readGivenAuthorities(root: FileSystemRoot, given: string): GivenAuthorities {
  const path = root.locate(given);
  const file = readRegularFile(root.resolve(path), path);
  if (file === undefined) {
    throw new KubepkiError('not-found', 'no such file', {
      file: path,
      hint: 'name the file with the renewed CA certificates, from the node on which "kubepki ca renew" ran, or the file of "kubepki ca rotate export"',
    });
  }
  const { bytes } = file;
  return naming(path, () =>
    isTransfer(bytes)
      ? { kind: 'rotation', path, sha256: sha256(bytes), transfer: readTransfer(bytes) }
      : { kind: 'renewed', path, certificates: parseWhole(bytes) },
  );
}
