import { KubepkiError } from '../../errors/error.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { readCertificateFile } from '../../inventory/certificate-files.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';

/** What a file says is to be trusted: renewed certificates of CAs that the node has. */
export interface GivenAuthorities {
  readonly kind: 'renewed';
  /** Host path. */
  readonly path: string;
  readonly certificates: Chain;
}

/** The one place that knows which files `ca trust` takes. @throws KubepkiError */
export function readGivenAuthorities(root: FileSystemRoot, given: string): GivenAuthorities {
  const path = root.locate(given);
  const { content } = readCertificateFile(root, path);
  if (content.status === 'unreadable') throw content.error;
  if (content.status === 'present') return { kind: 'renewed', path, certificates: content.value };
  throw new KubepkiError('not-found', 'no such file', {
    file: path,
    hint: 'name the file with the renewed CA certificates, from the node on which "kubepki ca renew" ran',
  });
}
