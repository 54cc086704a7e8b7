import type { FileChange, FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import {
  encodeRequest,
  parseRequest,
  requestCertificate,
  type CertificationRequest,
} from '../../pki/request/certification-request.ts';
import {
  encodePrivateKey,
  parsePrivateKey,
  publicKeyOf,
  type PrivateKey,
} from '../../pki/key/private-key.ts';
import type { Requestable } from './plan-requests.ts';

/** A request that was made but is not on disk yet. */
export interface Requested {
  readonly requestable: Requestable;
  readonly request: CertificationRequest;
  readonly changes: readonly FileChange[];
}

/** Makes the request, and tells which files change. */
export function request(requestable: Requestable, privateKey: PrivateKey): Requested {
  const made = requestCertificate(requestable, privateKey);
  const { files, stale } = requestable;
  return {
    requestable,
    request: made,
    changes: [
      privateFile(files.key, encodePrivateKey(privateKey)),
      privateFile(files.request, encodeRequest(made)),
      ...stale.map((target) => ({ target, after: undefined })),
    ],
  };
}

/** A file of mode 0600, as kubeadm's are, and ours, also where it replaces a file of another mode and owner. */
function privateFile(target: FileTarget, content: string): FileChange {
  return { target, after: { content: Buffer.from(content), mode: 0o600, owner: undefined } };
}

/**
 * Checks what was read back from disk: the request asks for what it should, and the key beside it is its own.
 * @throws KubepkiError verification
 */
export function verifyRequested(
  { requestable: { files }, request: made }: Requested,
  readBack: (target: FileTarget) => Buffer,
): void {
  const found = parseRequest(readBack(files.request));
  const key = parsePrivateKey(readBack(files.key));
  if (found.der.equals(made.der) && publicKeyOf(key).equals(found.publicKey)) return;
  throw new KubepkiError('verification', 'read back from disk, it is not the request that was made', {
    file: files.request.path,
  });
}
