import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** A cluster's CA of openssl's making: nothing of what is tested has a hand in it. */
export interface Authority {
  readonly ca: Buffer;
  issue(wishes: LeafWishes): Pair;
}

export function makeAuthority(openssl: string, directory: string, name: string): Authority {
  const at = (file: string): string => join(directory, `${name}-${file}`);
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl, args, { stdio: 'pipe' });
  };
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run(
    'req',
    '-x509',
    ...ec,
    '-subj',
    `/CN=${name}`,
    '-days',
    '30',
    '-keyout',
    at('ca.key'),
    '-out',
    at('ca.crt'),
  );
  let count = 0;
  return {
    ca: readFileSync(at('ca.crt')),
    issue: ({ subject, names, expired = false }) => {
      count += 1;
      const [key, csr, crt, ext] = ['key', 'csr', 'crt', 'ext'].map((kind) => at(`${String(count)}.${kind}`));
      if (key === undefined || csr === undefined || crt === undefined || ext === undefined) throw new Error();
      run('req', '-new', ...ec, '-subj', subject, '-keyout', key, '-out', csr);
      const usage = names === undefined ? 'clientAuth' : `serverAuth\nsubjectAltName=${names}`;
      writeFileSync(ext, `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=${usage}\n`);
      run(
        ...['x509', '-req', '-in', csr, '-out', crt, '-extfile', ext],
        ...['-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial'],
        // A negative number of days: its end is before its beginning, and before now.
        ...['-days', expired ? '-1' : '30'],
      );
      return { certificate: readFileSync(crt), key: readFileSync(key) };
    },
  };
}
