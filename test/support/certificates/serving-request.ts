import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What openssl is told to ask for. */
export interface Wanted {
  /** Lines of a `distinguished_name` section. */
  readonly subject: readonly string[];
  /** Values of `subjectAltName` such as `DNS:node-1`; none: no SAN. */
  readonly names: readonly string[];
  readonly key: KeyName;
  /** More lines of the `req_extensions` section. */
  readonly extensions: readonly string[];
  /** Lines of the `attributes` section. */
  readonly attributes: readonly string[];
  /** Further arguments of `openssl req`. */
  readonly options: readonly string[];
}

// `openssl genpkey` arguments. Five primes: a key of this size with two takes half a minute.
const keys = {
  'P-256': ['EC', 'ec_paramgen_curve:P-256'],
  'P-384': ['EC', 'ec_paramgen_curve:P-384'],
  'P-521': ['EC', 'ec_paramgen_curve:P-521'],
  secp256k1: ['EC', 'ec_paramgen_curve:secp256k1'],
  'P-256 in numbers': ['EC', 'ec_paramgen_curve:P-256', 'ec_param_enc:explicit'],
  Ed25519: ['ED25519'],
  'RSA-PSS': ['RSA-PSS', 'rsa_keygen_bits:2048'],
  'RSA-1024': ['RSA', 'rsa_keygen_bits:1024'],
  'RSA-2047': ['RSA', 'rsa_keygen_bits:2047'],
  'RSA-2048': ['RSA', 'rsa_keygen_bits:2048'],
  'RSA-2048, exponent 3': ['RSA', 'rsa_keygen_bits:2048', 'rsa_keygen_pubexp:3'],
  'RSA-8200': ['RSA', 'rsa_keygen_bits:8200', 'rsa_keygen_primes:5'],
} as const;

export type KeyName = keyof typeof keys;

/** Certificate requests from openssl, with keys that are made once. */
export class RequestMaker {
  readonly #openssl: string;
  readonly #directory: string;

  constructor(openssl: string, directory: string) {
    this.#openssl = openssl;
    this.#directory = directory;
  }

  /** @returns PEM */
  make({ subject, names, key, extensions, attributes, options }: Wanted): Buffer {
    const requested = [
      ...(names.length === 0 ? [] : [`subjectAltName = ${names.join(', ')}`]),
      ...extensions,
    ];
    const config = [
      '[req]',
      'prompt = no',
      'string_mask = utf8only',
      'distinguished_name = dn',
      ...(requested.length === 0 ? [] : ['req_extensions = ext']),
      ...(attributes.length === 0 ? [] : ['attributes = attributes']),
      ...[
        '[dn]',
        ...subject,
        '[ext]',
        ...requested,
        '[attributes]',
        ...attributes,
        '[dir]',
        'CN = somebody',
        '',
      ],
    ];
    const path = join(this.#directory, 'request.cnf');
    writeFileSync(path, config.join('\n'));
    return this.run(['req', '-new', '-config', path, '-key', this.keyFile(key), ...options]);
  }

  /** Signs content anew: what a request whose bytes were changed needs to be right but for that change. */
  sign(key: KeyName, content: Buffer): Buffer {
    return this.run(['dgst', '-sha256', '-sign', this.keyFile(key)], content);
  }

  keyFile(key: KeyName): string {
    const path = join(this.#directory, `${key}.key`);
    if (existsSync(path)) return path;
    const [algorithm, ...parameters] = keys[key];
    this.run([
      ...['genpkey', '-quiet', '-algorithm', algorithm, '-out', path],
      ...parameters.flatMap((parameter) => ['-pkeyopt', parameter]),
    ]);
    return path;
  }

  run(args: readonly string[], input?: Buffer): Buffer {
    return execFileSync(this.#openssl, args, { stdio: 'pipe', input });
  }
}

export function pemToDer(pem: Buffer): Buffer {
  const [, body = ''] = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(pem.toString()) ?? [];
  return Buffer.from(body, 'base64');
}

export function derToPem(der: Buffer, label = 'CERTIFICATE REQUEST'): Buffer {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return Buffer.from(`-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`);
}
