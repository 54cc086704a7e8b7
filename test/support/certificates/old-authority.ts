import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCertificates, type Certificate } from '../../../src/pki/certificate/certificate.ts';
import { parsePrivateKey, type PrivateKey } from '../../../src/pki/key/private-key.ts';

export interface Pair {
  readonly certificate: Certificate;
  readonly key: PrivateKey;
}

/** openssl's words for a key: `rsa:2048`, or the name of a curve. */
export type KeyWord = 'rsa:2048' | 'rsa:3072' | 'P-256' | 'P-384';

interface OldAuthority {
  readonly key?: KeyWord;
  /** openssl extension lines, beside those of kubeadm. */
  readonly extensions?: readonly string[];
  readonly basicConstraints?: string;
  readonly keyUsage?: string;
  /** `20200101000000Z` */
  readonly start?: string;
  readonly end?: string;
  readonly by?: Pair;
}

/** A CA called `kubernetes` as openssl makes it: as kubeadm's, but for what is said. */
export function oldAuthority(openssl: string, wanted: OldAuthority = {}): Pair {
  const {
    key = 'P-256',
    extensions = ['subjectKeyIdentifier=hash'],
    basicConstraints = 'CA:TRUE',
    keyUsage = 'digitalSignature,keyEncipherment,keyCertSign',
  } = wanted;
  return signedByOpenssl(openssl, {
    key,
    subject: '/CN=kubernetes',
    extensions: [
      `basicConstraints=critical,${basicConstraints}`,
      `keyUsage=critical,${keyUsage}`,
      ...['subjectAltName=DNS:kubernetes', ...extensions],
    ],
    start: wanted.start ?? '20200101000000Z',
    end: wanted.end ?? '20400101000000Z',
    by: wanted.by,
  });
}

/** A leaf for both ends of a connection as openssl makes it. */
export function oldLeaf(openssl: string, by: Pair, extensions: readonly string[]): Pair {
  return signedByOpenssl(openssl, {
    key: 'P-256',
    subject: '/CN=node.test',
    extensions: [
      ...['basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature'],
      ...['extendedKeyUsage=serverAuth,clientAuth', 'subjectAltName=DNS:node.test', ...extensions],
    ],
    start: '20200101000000Z',
    end: '20390101000000Z',
    by,
  });
}

interface Signing {
  readonly key: KeyWord;
  readonly subject: string;
  readonly extensions: readonly string[];
  readonly start: string;
  readonly end: string;
  readonly by: Pair | undefined;
}

function signedByOpenssl(openssl: string, { key, subject, extensions, start, end, by }: Signing): Pair {
  const scratch = mkdtempSync(join(tmpdir(), 'kubepki-old-'));
  const at = (name: string): string => join(scratch, name);
  const run = (...args: readonly string[]): unknown => execFileSync(openssl, args, { stdio: 'pipe' });
  const newKey = key.startsWith('rsa:')
    ? ['-newkey', key]
    : ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${key}`];
  try {
    writeFileSync(
      at('cnf'),
      `[req]\ndistinguished_name=dn\nstring_mask=nombstr\n[dn]\n[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index')}\nnew_certs_dir=${scratch}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n`,
    );
    writeFileSync(at('index'), '');
    writeFileSync(at('ext'), extensions.join('\n'));
    run(
      ...['req', '-new', '-nodes', '-config', at('cnf'), ...newKey],
      ...['-keyout', at('key'), '-subj', subject, '-out', at('csr')],
    );
    if (by !== undefined) {
      writeFileSync(at('ca.crt'), by.certificate.x509.toString());
      writeFileSync(at('ca.key'), by.key.export({ type: 'pkcs8', format: 'pem' }));
    }
    const signer =
      by === undefined
        ? ['-selfsign', '-keyfile', at('key')]
        : ['-cert', at('ca.crt'), '-keyfile', at('ca.key')];
    run(
      ...['ca', '-batch', '-notext', '-preserveDN', '-config', at('cnf'), ...signer],
      ...['-startdate', start, '-enddate', end, '-extfile', at('ext'), '-in', at('csr'), '-out', at('crt')],
    );
    return {
      certificate: parseCertificates(readFileSync(at('crt')))[0],
      key: parsePrivateKey(readFileSync(at('key'))),
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
