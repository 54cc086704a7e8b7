import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CaFiles } from './authority.ts';

/** What a signer has been asked for, as the API server hands it on. */
export interface ToSign {
  /** PEM. */
  readonly request: Buffer;
  readonly usages: readonly string[];
  readonly expirationSeconds: number | undefined;
}

/** How a certificate can be another one than that which was asked for. */
export type Wrong = 'other key' | 'other subject' | 'no names' | 'other CA' | 'expired' | 'an hour';

export interface SigningConduct {
  readonly wrong?: Wrong;
  /** Issues below an intermediate CA of its own, and gives that after the certificate. */
  readonly chain?: boolean;
}

/** openssl's names of the usages of certificates.k8s.io. */
const keyUsages: Readonly<Record<string, string>> = {
  'digital signature': 'digitalSignature',
  'content commitment': 'nonRepudiation',
  'key encipherment': 'keyEncipherment',
  'data encipherment': 'dataEncipherment',
  'key agreement': 'keyAgreement',
};
const extendedKeyUsages: Readonly<Record<string, string>> = {
  'client auth': 'clientAuth',
  'server auth': 'serverAuth',
  'code signing': 'codeSigning',
};

const yearSeconds = 365 * 24 * 3600;
// kube-controller-manager's: for clocks that are behind.
const backdateSeconds = 5 * 60;

/** A signer as kube-controller-manager is one, of openssl's making. */
export class OpensslSigner {
  readonly #openssl: string;
  readonly #ca: CaFiles;
  readonly #scratch: string;
  #count = 0;

  /** @param scratch a directory for its requests, databases and other CAs */
  constructor(openssl: string, ca: CaFiles, scratch: string) {
    this.#openssl = openssl;
    this.#ca = ca;
    this.#scratch = mkdtempSync(join(scratch, 'signer-'));
  }

  /** @returns PEM */
  sign(wish: ToSign, { wrong, chain = false }: SigningConduct = {}): string {
    const root = wrong === 'other CA' ? this.#otherCa() : this.#ca;
    const by = chain ? this.#below(root) : root;
    const leaf = this.#issue(wish, by, wrong);
    return chain ? leaf + readFileSync(by.certificate, 'latin1') : leaf;
  }

  #issue({ request, usages, expirationSeconds }: ToSign, by: CaFiles, wrong: Wrong | undefined): string {
    const path = this.#path();
    const csr = `${path}.csr`;
    writeFileSync(csr, wrong === 'other key' ? this.#withAnotherKey(request) : request);
    // An hour that was over before it began to be needed.
    const now = Math.floor(Date.now() / 1000) - (wrong === 'expired' ? 24 * 3600 : 0);
    const notBefore = now - backdateSeconds;
    const isShort = wrong === 'expired' || wrong === 'an hour';
    const wanted = notBefore + (isShort ? 3600 : (expirationSeconds ?? yearSeconds));
    const { validTo } = new X509Certificate(readFileSync(by.certificate));
    const notAfter = Math.min(wanted, Date.parse(validTo) / 1000);
    const known = (names: Readonly<Record<string, string>>): string =>
      usages.flatMap((usage) => names[usage] ?? []).join(', ');
    const [keyUsage, extendedKeyUsage] = [known(keyUsages), known(extendedKeyUsages)];
    this.#runCa(by, [
      ...['-in', csr, '-out', `${path}.crt`],
      ...['-startdate', opensslTime(notBefore), '-enddate', opensslTime(notAfter)],
      ...(wrong === 'other subject' ? ['-subj', '/CN=somebody-else'] : []),
      ...[
        '-config',
        this.#config(by, wrong === 'no names' ? 'none' : 'copy', [
          ...(keyUsage === '' ? [] : [`keyUsage = critical, ${keyUsage}`]),
          ...(extendedKeyUsage === '' ? [] : [`extendedKeyUsage = ${extendedKeyUsage}`]),
          'basicConstraints = critical, CA:FALSE',
          'subjectKeyIdentifier = none',
          'authorityKeyIdentifier = keyid',
        ]),
      ],
    ]);
    return readFileSync(`${path}.crt`, 'latin1');
  }

  /** The same subject and the same names, for a key that is not the requestor's. */
  #withAnotherKey(request: Buffer): Buffer {
    const [key, config] = [`${this.#path()}.key`, `${this.#path()}.cnf`];
    this.#run('genpkey', '-quiet', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key);
    // openssl makes a request anew from a certificate only, which may be of the first key.
    const names = /DNS:[^\n]*|IP Address:[^\n]*/.exec(this.#run('req', '-noout', '-text', request))?.[0];
    const san = names?.replaceAll('IP Address:', 'IP:');
    const extensions = san === undefined ? '' : `req_extensions = ext\n[ext]\nsubjectAltName = ${san}\n`;
    writeFileSync(config, `[req]\ndistinguished_name = dn\nprompt = no\n${extensions}[dn]\nCN = x\n`);
    const subject = subjectOf(this.#openssl, request).map(([type, value]) => `/${type}=${value}`);
    const args = ['req', '-new', '-key', key, '-config', config, '-subj', subject.join('')];
    return Buffer.from(this.#run(...args), 'latin1');
  }

  #otherCa(): CaFiles {
    const path = this.#path();
    const files = { certificate: `${path}.crt`, key: `${path}.key` };
    this.#run(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      // By its name it cannot be told from the right one.
      ...['-subj', '/CN=kubernetes', '-days', '3650', '-keyout', files.key, '-out', files.certificate],
    );
    return files;
  }

  #below(root: CaFiles): CaFiles {
    const path = this.#path();
    this.#run(
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-subj', '/CN=intermediate', '-keyout', `${path}.key`, '-out', `${path}.csr`],
    );
    const config = this.#config(root, 'none', [
      'basicConstraints = critical, CA:TRUE, pathlen:0',
      'keyUsage = critical, keyCertSign, cRLSign',
      'subjectKeyIdentifier = hash',
      'authorityKeyIdentifier = keyid',
    ]);
    this.#runCa(root, [...['-in', `${path}.csr`, '-out', `${path}.crt`, '-days', '3000', '-config', config]]);
    return { certificate: `${path}.crt`, key: `${path}.key` };
  }

  #runCa(by: CaFiles, args: readonly string[]): void {
    this.#run(
      ...['ca', '-batch', '-notext', '-preserveDN', '-md', 'sha256'],
      ...['-cert', by.certificate, '-keyfile', by.key, ...args],
    );
  }

  #config(by: CaFiles, copy: 'copy' | 'none', extensions: readonly string[]): string {
    const directory = `${this.#path()}.d`;
    mkdirSync(directory);
    writeFileSync(join(directory, 'index'), '');
    const lines = [
      '[ca]',
      'default_ca = this',
      '[this]',
      `database = ${join(directory, 'index')}`,
      `new_certs_dir = ${directory}`,
      `certificate = ${by.certificate}`,
      'rand_serial = yes',
      'policy = anything',
      `copy_extensions = ${copy}`,
      'x509_extensions = ext',
      'email_in_dn = yes',
      '[anything]',
      'commonName = optional',
      'organizationName = optional',
      '[ext]',
      ...extensions,
      '',
    ];
    writeFileSync(join(directory, 'ca.cnf'), lines.join('\n'));
    return join(directory, 'ca.cnf');
  }

  #path(): string {
    this.#count += 1;
    return join(this.#scratch, String(this.#count));
  }

  /** @param args a Buffer is what it reads from stdin */
  #run(...args: readonly (string | Buffer)[]): string {
    const input = args.find((arg) => typeof arg !== 'string');
    const words = args.filter((arg) => typeof arg === 'string');
    return execFileSync(this.#openssl, words, { stdio: 'pipe', encoding: 'latin1', ...(input && { input }) });
  }
}

/** The attributes of a request's subject, in its order: `['O', 'system:masters']`. */
export function subjectOf(openssl: string, request: Buffer): readonly (readonly [string, string])[] {
  const args = ['req', '-noout', '-subject', '-nameopt', 'multiline,-align,-esc_msb,utf8,sname'];
  const lines = execFileSync(openssl, args, { stdio: 'pipe', encoding: 'utf8', input: request });
  return lines
    .split('\n')
    .filter((line) => line.startsWith(' '))
    .map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at).trim(), line.slice(at + 1).trim()] as const;
    });
}

/** `YYYYMMDDHHMMSSZ` */
function opensslTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/[-:T]|\.\d+/g, '');
}
