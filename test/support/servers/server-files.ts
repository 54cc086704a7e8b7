import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { encodePrivateKey } from '../../../src/pki/key/private-key.ts';
import type { Pair } from '../certificates/old-authority.ts';
import { temporaryDirectory, type Cleanup } from '../tree.ts';

/** Paths of what a server is started with. */
export interface ServerFiles {
  readonly certificate: string;
  readonly key: string;
  /** Of the CAs that clients may be of. */
  readonly ca: string;
}

/** Gone after the test. */
export function serverFiles(
  t: Cleanup,
  { certificate, key }: Pair,
  trusted: readonly Certificate[],
): ServerFiles {
  const scratch = temporaryDirectory(t);
  const write = (name: string, text: string): string => {
    const path = join(scratch, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    certificate: write('server.crt', encodeCertificates([certificate])),
    key: write('server.key', encodePrivateKey(key)),
    ca: write('ca.crt', encodeCertificates(trusted)),
  };
}
