import { appendFileSync, readFileSync } from 'node:fs';
import { makeCa, resign, type Resigning } from './resigned.ts';

/** By these names kubectl calls the API server of a test. */
export const servedNames = 'DNS:kubernetes,IP:127.0.0.1';

const leafLines = [
  'basicConstraints = critical, CA:FALSE',
  'keyUsage = critical, digitalSignature, keyEncipherment',
];

interface Leaf extends Omit<Resigning, 'extensions' | 'subject'> {
  /** undefined: none. */
  readonly usages?: 'serverAuth' | 'clientAuth' | undefined;
  /** As openssl writes SANs; undefined: none. */
  readonly names?: string | undefined;
}

/** A server's certificate with a key of its own, by openssl, at `<path>.crt` and `<path>.key`. */
export function makeLeaf(openssl: string, path: string, leaf: Leaf): void {
  const { usages, names, ...signing } = { usages: 'serverAuth', names: servedNames, ...leaf } as const;
  makeCa(openssl, path, 'kube-apiserver');
  const lines = [
    ...leafLines,
    ...(usages === undefined ? [] : [`extendedKeyUsage = ${usages}`]),
    ...(names === undefined ? [] : [`subjectAltName = ${names}`]),
  ];
  resign(openssl, path, { ...signing, extensions: lines.join('\n') });
}

/** A CA below another one, as {@link makeLeaf}. */
export function makeIntermediate(
  openssl: string,
  path: string,
  { name = 'intermediate', isCa = true, ...signing }: Resigning & { name?: string; isCa?: boolean },
): void {
  makeCa(openssl, path, name);
  const lines = isCa
    ? ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign']
    : ['basicConstraints = critical, CA:FALSE'];
  resign(openssl, path, { ...signing, extensions: lines.join('\n') });
}

/** Puts certificates behind those of a file. */
export function append(file: string, ...others: readonly string[]): void {
  for (const other of others) appendFileSync(file, readFileSync(other));
}
