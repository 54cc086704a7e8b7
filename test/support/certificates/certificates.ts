import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { certificateAuthority, certificates, type CertificateSpec } from '../../../src/catalog/catalog.ts';
import type { Tree } from '../tree.ts';

/** A certificate, its key and its issuer as files another program can be given. */
export interface LeafFiles {
  readonly name: string;
  /** PEM; the leaf is the first certificate in it. */
  readonly certificate: string;
  readonly key: string;
  /** The issuing CA's certificate, or a bundle that holds it. */
  readonly ca: string;
}

/**
 * Every certificate of the catalog that is in a tree, in the catalog's order. What a kubeconfig embeds is written to
 * `scratch` first, as `<name>.crt` and `<name>.key`.
 */
export function leafFiles(tree: Tree, scratch: string): readonly LeafFiles[] {
  mkdirSync(scratch, { recursive: true });
  return certificates.flatMap((spec) => {
    const files =
      spec.kind === 'leaf' ? pkiFiles(tree, spec.baseName) : kubeconfigFiles(tree, spec.name, scratch);
    return files === undefined ? [] : [{ name: spec.name, ca: caFile(tree, spec.caName), ...files }];
  });
}

/** One of them, by its name in the catalog. */
export function leafFile(leaves: readonly LeafFiles[], name: string): LeafFiles {
  const leaf = leaves.find((candidate) => candidate.name === name);
  if (leaf === undefined) throw new Error(`the tree has no ${name}`);
  return leaf;
}

export function caFile(tree: Tree, caName: CertificateSpec['caName']): string {
  return join(tree.certDir, `${certificateAuthority(caName).baseName}.crt`);
}

type Pair = Pick<LeafFiles, 'certificate' | 'key'>;

function pkiFiles(tree: Tree, baseName: string): Pair | undefined {
  const certificate = join(tree.certDir, `${baseName}.crt`);
  return existsSync(certificate) ? { certificate, key: join(tree.certDir, `${baseName}.key`) } : undefined;
}

function kubeconfigFiles(tree: Tree, name: string, scratch: string): Pair | undefined {
  const path = join(tree.kubeconfigDir, name);
  if (!existsSync(path)) return undefined;
  const user = currentUser(readFileSync(path, 'utf8'));
  const file = (field: 'client-certificate' | 'client-key', extension: string): string => {
    const data = user[`${field}-data`];
    if (data !== undefined) {
      const extracted = join(scratch, `${name}.${extension}`);
      writeFileSync(extracted, Buffer.from(data, 'base64'), { mode: 0o600 });
      return extracted;
    }
    const named = user[field];
    if (named === undefined) throw new Error(`${path}: the user has neither ${field}-data nor ${field}`);
    return isAbsolute(named) ? join(tree.directory, named) : join(tree.kubeconfigDir, named);
  };
  return { certificate: file('client-certificate', 'crt'), key: file('client-key', 'key') };
}

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly { readonly name: string; readonly context: { readonly user: string } }[];
  readonly users: readonly {
    readonly name: string;
    readonly user: Readonly<Record<string, string | undefined>>;
  }[];
}

// As client-go reads it, and on purpose not with src/kubeconfig, which is what is being judged.
function currentUser(text: string): Readonly<Record<string, string | undefined>> {
  const kubeconfig = parse(text) as Kubeconfig;
  const context = kubeconfig.contexts.find(({ name }) => name === kubeconfig['current-context']);
  const user = kubeconfig.users.find(({ name }) => name === context?.context.user);
  if (user === undefined) throw new Error('the kubeconfig has no user for its current context');
  return user.user;
}

/** What openssl says of a certificate and its key. */
export interface LeafFacts {
  /** Each attribute on a line, with its ASN.1 string type. */
  readonly subject: string;
  readonly subjectAltName: string;
  readonly extendedKeyUsage: string;
  readonly keyUsage: string;
  readonly basicConstraints: string;
  /** Hex. */
  readonly serial: string;
  /** SPKI, PEM, from the certificate. */
  readonly publicKey: string;
  /** SPKI, PEM, from the key file. */
  readonly publicKeyOfKeyFile: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export function leafFacts(openssl: string, leaf: LeafFiles): LeafFacts {
  const x509 = (...args: readonly string[]): string =>
    execFileSync(openssl, ['x509', '-in', leaf.certificate, '-noout', ...args], {
      encoding: 'utf8',
      // "No extensions in certificate" is said on stderr: an empty text says it too.
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  // Each extension with its name on a line of its own.
  const extensions = x509('-ext', 'subjectAltName,extendedKeyUsage,keyUsage,basicConstraints').split(
    /^(?=\S)/m,
  );
  const extension = (name: string): string =>
    extensions.find((one) => one.startsWith(`X509v3 ${name}:`)) ?? '';
  const text = x509(
    ...['-serial', '-startdate', '-enddate', '-dateopt', 'iso_8601'],
    ...['-pubkey', '-subject', '-nameopt', 'multiline,show_type'],
  );
  const found = (pattern: RegExp): string => {
    const match = pattern.exec(text);
    if (match === null) throw new Error(`openssl does not say ${pattern.source}: ${text}`);
    return match[1] ?? match[0];
  };
  return {
    subject: found(/^subject=\n(?: .*\n)+/m),
    subjectAltName: extension('Subject Alternative Name'),
    extendedKeyUsage: extension('Extended Key Usage'),
    keyUsage: extension('Key Usage'),
    basicConstraints: extension('Basic Constraints'),
    serial: found(/^serial=(.+)$/m),
    publicKey: found(/^-----BEGIN PUBLIC KEY-----\n[^]*-----END PUBLIC KEY-----\n/m),
    publicKeyOfKeyFile: execFileSync(openssl, ['pkey', '-in', leaf.key, '-pubout'], { encoding: 'utf8' }),
    notBefore: new Date(found(/^notBefore=(.+)$/m)),
    notAfter: new Date(found(/^notAfter=(.+)$/m)),
  };
}

/** The purposes (`openssl verify -purpose`) that a certificate's extended key usage promises. */
export function purposes(facts: LeafFacts): readonly ('sslserver' | 'sslclient')[] {
  return [
    ...(facts.extendedKeyUsage.includes('TLS Web Server Authentication') ? (['sslserver'] as const) : []),
    ...(facts.extendedKeyUsage.includes('TLS Web Client Authentication') ? (['sslclient'] as const) : []),
  ];
}
