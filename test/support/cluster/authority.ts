import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A certificate and its key, PEM. */
export interface Pair {
  readonly certificate: Buffer;
  readonly key: Buffer;
}

export interface LeafWishes {
  /** As openssl writes a subject: `/O=system:masters/CN=kubernetes-admin`. */
  readonly subject: string;
  /** As openssl's subjectAltName; of servers. */
  readonly names?: string;
  /** Ended yesterday. */
  readonly expired?: boolean;
}

/** Where the certificate and the key of a CA are. */
export interface CaFiles {
  readonly certificate: string;
  readonly key: string;
}

/** A cluster's CA, and openssl that issues with it: nothing of what is tested has a hand in it. */
export interface Authority {
  readonly files: CaFiles;
  readonly ca: Buffer;
  issue(wishes: LeafWishes): Pair;
}

const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export function makeAuthority(openssl: string, directory: string, name: string): Authority {
  const files = { certificate: join(directory, `${name}-ca.crt`), key: join(directory, `${name}-ca.key`) };
  execFileSync(
    openssl,
    [
      ...['req', '-x509', ...ec, '-subj', `/CN=${name}`, '-days', '30'],
      ...['-keyout', files.key, '-out', files.certificate],
    ],
    { stdio: 'pipe' },
  );
  return authorityOf(openssl, files, directory);
}

/** Of a CA that is there already, such as a fixture's; what is issued is put into `directory`. */
export function authorityOf(openssl: string, files: CaFiles, directory: string): Authority {
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl, args, { stdio: 'pipe' });
  };
  let count = 0;
  return {
    files,
    ca: readFileSync(files.certificate),
    issue: ({ subject, names, expired = false }) => {
      count += 1;
      const path = join(directory, `${basename(files.certificate, '.crt')}-${String(count)}`);
      const [key, csr, crt, ext] = [`${path}.key`, `${path}.csr`, `${path}.crt`, `${path}.ext`] as const;
      run('req', '-new', ...ec, '-subj', subject, '-keyout', key, '-out', csr);
      const usage = names === undefined ? 'clientAuth' : `serverAuth\nsubjectAltName=${names}`;
      writeFileSync(ext, `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=${usage}\n`);
      run(
        ...['x509', '-req', '-in', csr, '-out', crt, '-extfile', ext],
        ...['-CA', files.certificate, '-CAkey', files.key, '-set_serial', randomSerial()],
        // A negative number of days: its end is before its beginning, and before now.
        ...['-days', expired ? '-1' : '30'],
      );
      return { certificate: readFileSync(crt), key: readFileSync(key) };
    },
  };
}

/** `-CAcreateserial` would leave a file beside the CA, which may be a node's. */
function randomSerial(): string {
  return `0x${randomBytes(15).toString('hex')}`;
}
