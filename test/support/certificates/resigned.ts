import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a certificate is signed again by openssl; what is not said is as in the certificate that is there, or usual. */
export interface Resigning {
  /** Path of the signing CA without extension. */
  readonly by: string;
  /** `20900101000000Z` */
  readonly start?: string;
  readonly end?: string;
  readonly digest?: 'sha1' | 'sha256';
  /** Decimal; may be negative. */
  readonly serial?: number;
  /** openssl extension lines, instead of the certificate's own. */
  readonly extensions?: string;
  readonly subject?: string;
}

const carriedOver =
  'keyUsage,extendedKeyUsage,basicConstraints,subjectAltName,authorityKeyIdentifier,subjectKeyIdentifier';

/** Puts another certificate for the same key in the place of `<certificate>.crt`. */
export function resign(openssl: string, certificate: string, resigning: Resigning): void {
  const { by, start, end, digest = 'sha256', serial, extensions, subject } = resigning;
  const scratch = mkdtempSync(join(tmpdir(), 'kubepki-resign-'));
  const run = (...args: readonly string[]): Buffer => execFileSync(openssl, args, { stdio: 'pipe' });
  try {
    const at = (name: string): string => join(scratch, name);
    const [old, key, csr] = [`${certificate}.crt`, `${certificate}.key`, at('csr')];
    writeFileSync(at('ext'), extensions ?? extensionsOf(openssl, old));
    writeFileSync(at('req.cnf'), '[req]\ndistinguished_name=dn\nstring_mask=nombstr\n[dn]\n');
    const name = subject ?? subjectOf(openssl, old);
    run('req', '-new', '-config', at('req.cnf'), '-key', key, '-subj', name, '-out', csr);
    if (serial !== undefined) {
      const days = ['-days', '365', '-set_serial', String(serial), `-${digest}`];
      run(
        ...['x509', '-req', '-in', csr, '-CA', `${by}.crt`, '-CAkey', `${by}.key`],
        ...days,
        ...['-extfile', at('ext'), '-out', old],
      );
      return;
    }
    writeFileSync(at('index'), '');
    writeFileSync(at('index.attr'), 'unique_subject = no\n');
    writeFileSync(
      at('ca.cnf'),
      `[ca]\ndefault_ca=d\n[d]\ndatabase=${at('index')}\nnew_certs_dir=${scratch}\nrand_serial=yes\ndefault_md=${digest}\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\norganizationName=optional\n`,
    );
    const dates = [
      ...(start === undefined ? [] : ['-startdate', start]),
      ...(end === undefined ? ['-days', '365'] : ['-enddate', end]),
    ];
    run(
      ...['ca', '-batch', '-notext', '-preserveDN', '-config', at('ca.cnf')],
      ...['-cert', `${by}.crt`, '-keyfile', `${by}.key`],
      ...dates,
      ...['-extfile', at('ext'), '-in', csr, '-out', old],
    );
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A self-signed CA of that name, with a key of its own, at `<path>.crt` and `<path>.key`. */
export function makeCa(openssl: string, path: string, name: string): void {
  const config = mkdtempSync(join(tmpdir(), 'kubepki-ca-'));
  try {
    writeFileSync(join(config, 'cnf'), '[req]\ndistinguished_name=dn\nstring_mask=nombstr\n[dn]\n');
    const extensions = [
      'basicConstraints=critical,CA:TRUE',
      'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign',
    ];
    execFileSync(
      openssl,
      [
        ...[
          'req',
          '-x509',
          '-new',
          '-nodes',
          '-config',
          join(config, 'cnf'),
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
        ],
        ...['-keyout', `${path}.key`, '-subj', `/CN=${name}`, '-days', '3650'],
        ...extensions.flatMap((one) => ['-addext', one]),
        '-out',
        `${path}.crt`,
      ],
      { stdio: 'pipe' },
    );
  } finally {
    rmSync(config, { recursive: true, force: true });
  }
}

function subjectOf(openssl: string, certificate: string): string {
  const text = execFileSync(
    openssl,
    ['x509', '-in', certificate, '-noout', '-subject', '-nameopt', 'sep_multiline,sname'],
    { encoding: 'utf8' },
  );
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter(Boolean)
    .map((attribute) => `/${attribute}`)
    .join('');
}

function extensionsOf(openssl: string, certificate: string): string {
  const text = execFileSync(openssl, ['x509', '-in', certificate, '-noout', '-ext', carriedOver], {
    encoding: 'utf8',
  });
  const value = (name: string): string | undefined =>
    new RegExp(`${name}:[^\\n]*\\n +([^\\n]*)`).exec(text)?.[1]?.trim();
  const usages = value('X509v3 Extended Key Usage')
    ?.replace('TLS Web Server Authentication', 'serverAuth')
    .replace('TLS Web Client Authentication', 'clientAuth');
  const names = value('X509v3 Subject Alternative Name')?.replaceAll('IP Address:', 'IP:');
  return [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature,keyEncipherment',
    ...(usages === undefined ? [] : [`extendedKeyUsage=${usages}`]),
    ...(names === undefined ? [] : [`subjectAltName=${names}`]),
  ].join('\n');
}
