import { execFileSync } from 'node:child_process';
import { readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { TestContext } from 'node:test';
import { certificates, kubeletKubeconfig, certificateAuthority } from '../../../src/catalog/catalog.ts';
import { judge } from '../judge.ts';
import { copyFixture, temporaryDirectory, type Tree } from '../tree.ts';

/** A CA that is elsewhere: the tree's own keys, taken away from it. */
export interface ExternalCa {
  /** Signs every CSR in a directory, each with the CA it belongs to. */
  signAll(directory: string, options?: SigningOptions): void;
  sign(request: string, certificate: string, options?: SigningOptions): void;
  /** An intermediate CA below one of them. */
  intermediate(
    caName: 'ca' | 'etcd-ca' | 'front-proxy-ca',
    options?: { readonly days?: number },
  ): { readonly certificate: string; readonly key: string };
}

export interface SigningOptions {
  /** openssl extension lines; `%U` stands for the usages that Kubernetes needs. */
  readonly extensions?: string;
  readonly copyExtensions?: boolean;
  readonly days?: number;
  /** Signs with this CA instead of the one it belongs to. */
  readonly caName?: 'ca' | 'etcd-ca' | 'front-proxy-ca';
  readonly subject?: string;
  readonly digest?: 'sha1' | 'sha384';
  /** Signs with this certificate and key instead. */
  readonly by?: { readonly certificate: string; readonly key: string };
}

const usual =
  'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\nextendedKeyUsage = %U\n';

/** A fixture whose CAs are elsewhere. */
export interface ExternalTree {
  readonly openssl: string;
  readonly tree: Tree;
  readonly ca: ExternalCa;
  /** Host path; `/csr` inside the tree. Not there yet. */
  readonly csrDir: string;
}

/** @returns undefined: there is no openssl, and the test is skipped */
export function externalTree(t: TestContext, role: string): ExternalTree | undefined {
  const openssl = judge(t, 'openssl');
  if (openssl === undefined) return undefined;
  const tree = copyFixture(t, role);
  makeLinksRelative(tree);
  const ca = takeCaAway(openssl, tree, temporaryDirectory(t));
  return { openssl, tree, ca, csrDir: join(tree.directory, 'csr') };
}

/** openssl knows no root file system but the machine's. */
function makeLinksRelative({ directory }: Tree): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const target = entry.isSymbolicLink() ? readlinkSync(path) : '';
    if (!target.startsWith('/')) continue;
    rmSync(path);
    symlinkSync(relative(entry.parentPath, join(directory, target)), path);
  }
}

/** Moves the CA keys of a tree to `scratch`, and signs with them there. */
export function takeCaAway(openssl: string, tree: Tree, scratch: string): ExternalCa {
  for (const name of ['ca', 'etcd-ca', 'front-proxy-ca'] as const) {
    renameSync(
      join(tree.certDir, `${certificateAuthority(name).baseName}.key`),
      join(scratch, `${name}.key`),
    );
  }
  const sign: ExternalCa['sign'] = (request, certificate, options = {}) => {
    const name = basename(request, '.csr');
    const spec = [...certificates, kubeletKubeconfig].find(
      (one) => one.name === name || (one.kind === 'leaf' && basename(one.baseName) === name),
    );
    if (spec === undefined) throw new Error(`no certificate for ${request}`);
    const caName = options.caName ?? spec.caName;
    const by = options.by ?? {
      certificate: join(tree.certDir, `${certificateAuthority(caName).baseName}.crt`),
      key: join(scratch, `${caName}.key`),
    };
    const extensions = join(scratch, 'extensions');
    writeFileSync(extensions, (options.extensions ?? usual).replace('%U', spec.usages.join(', ')));
    execFileSync(
      openssl,
      [
        ...['x509', '-req', '-in', request, '-out', certificate, '-extfile', extensions],
        ...['-CA', by.certificate, '-CAkey', by.key, '-days', String(options.days ?? 300)],
        ...(options.digest === undefined ? [] : [`-${options.digest}`]),
        ...(options.copyExtensions === false ? [] : ['-copy_extensions', 'copy']),
        ...(options.subject === undefined ? [] : ['-subj', options.subject]),
      ],
      { stdio: 'pipe' },
    );
  };
  const intermediate: ExternalCa['intermediate'] = (caName, { days = 300 } = {}) => {
    const path = (suffix: string): string =>
      join(scratch, `intermediate-${caName}-${String(days)}.${suffix}`);
    const run = (args: readonly string[]): void => {
      execFileSync(openssl, args, { stdio: 'pipe' });
    };
    run([
      ...['req', '-new', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ...['-subj', `/CN=intermediate ${caName}`, '-keyout', path('key'), '-out', path('csr')],
    ]);
    writeFileSync(path('extensions'), 'basicConstraints = critical, CA:TRUE\n');
    run([
      ...['x509', '-req', '-in', path('csr'), '-out', path('crt'), '-extfile', path('extensions')],
      ...['-CA', join(tree.certDir, `${certificateAuthority(caName).baseName}.crt`)],
      ...['-CAkey', join(scratch, `${caName}.key`), '-days', String(days)],
    ]);
    return { certificate: path('crt'), key: path('key') };
  };
  return {
    sign,
    intermediate,
    signAll: (directory, options) => {
      for (const name of readdirSync(directory).filter((one) => one.endsWith('.csr'))) {
        const request = join(directory, name);
        sign(request, request.replace(/csr$/, 'crt'), options);
      }
    },
  };
}
