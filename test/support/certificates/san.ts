import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tree } from '../tree.ts';

/** An extension of a certificate as openssl reads it. */
export interface ReadExtension {
  readonly critical: boolean;
  /** DER inside the OCTET STRING, upper-case hex. */
  readonly value: string;
}

/** By openssl's name, such as `X509v3 Subject Alternative Name`, in the certificate's order. */
export function extensionsIn(openssl: string, file: string): ReadonlyMap<string, ReadExtension> {
  const text = execFileSync(openssl, ['asn1parse', '-in', file], { encoding: 'utf8' });
  const found = text.matchAll(
    /OBJECT +:(.+)\n(?:.*BOOLEAN +:(255)\n)?.*OCTET STRING +\[HEX DUMP\]:([0-9A-F]+)\n/g,
  );
  return new Map(
    [...found].map(([, name = '', critical, value = '']) => [
      name,
      { critical: critical !== undefined, value },
    ]),
  );
}

/** The SANs of a certificate in the tree's cert dir, in their order and openssl's words: `DNS:kubernetes`. */
export function sansOf(openssl: string, tree: Tree, baseName: string): readonly string[] {
  const file = join(tree.certDir, `${baseName}.crt`);
  return sansIn(execFileSync(openssl, ['x509', '-in', file, '-noout', '-text'], { encoding: 'utf8' }));
}

export function sansOfRequest(openssl: string, file: string): readonly string[] {
  return sansIn(
    execFileSync(openssl, ['req', '-in', file, '-noout', '-text', '-verify'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
}

function sansIn(text: string): readonly string[] {
  const [, line = ''] = /Subject Alternative Name: *(?:critical)?\n +(.*)\n/.exec(text) ?? [];
  return line === '' ? [] : line.split(', ');
}

/** Gives the API server another certificate of the same CA, made by openssl, with these extensions. */
export function makeApiserver(openssl: string, tree: Tree, ...extensions: readonly string[]): void {
  const path = (name: string): string => join(tree.certDir, name);
  const run = (...args: readonly string[]): void => {
    execFileSync(openssl, args, { stdio: 'ignore' });
  };
  writeFileSync(path('extensions'), `${extensions.join('\n')}\n`);
  const subject = ['-subj', '/CN=kube-apiserver', '-out', path('apiserver.csr')];
  run('req', '-new', '-key', path('apiserver.key'), ...subject);
  run(
    ...['x509', '-req', '-in', path('apiserver.csr'), '-CA', path('ca.crt'), '-CAkey', path('ca.key')],
    ...['-days', '30', '-extfile', path('extensions'), '-out', path('apiserver.crt')],
  );
  execFileSync('rm', [path('extensions'), path('apiserver.csr')]);
}
