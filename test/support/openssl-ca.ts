import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { certificates, kubeletKubeconfig, certificateAuthority } from '../../src/catalog/catalog.ts';
import type { Tree } from './tree.ts';

/** A CA that is elsewhere: the tree's own keys, taken away from it. */
export interface ExternalCa {
  /** Signs every CSR in a directory, each with the CA it belongs to. */
  signAll(directory: string, options?: SigningOptions): void;
  sign(request: string, certificate: string, options?: SigningOptions): void;
}

export interface SigningOptions {
  /** openssl extension lines; `%U` stands for the usages that Kubernetes needs. */
  readonly extensions?: string;
  readonly copyExtensions?: boolean;
  readonly days?: number;
  /** Signs with this CA instead of the one it belongs to. */
  readonly caName?: 'ca' | 'etcd-ca' | 'front-proxy-ca';
  readonly subject?: string;
}

const usual =
  'basicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature, keyEncipherment\nextendedKeyUsage = %U\n';

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
    const extensions = join(scratch, 'extensions');
    writeFileSync(extensions, (options.extensions ?? usual).replace('%U', spec.usages.join(', ')));
    execFileSync(
      openssl,
      [
        ...['x509', '-req', '-in', request, '-out', certificate, '-extfile', extensions],
        ...['-CA', join(tree.certDir, `${certificateAuthority(caName).baseName}.crt`)],
        ...['-CAkey', join(scratch, `${caName}.key`), '-days', String(options.days ?? 300)],
        ...(options.copyExtensions === false ? [] : ['-copy_extensions', 'copy']),
        ...(options.subject === undefined ? [] : ['-subj', options.subject]),
      ],
      { stdio: 'pipe' },
    );
  };
  return {
    sign,
    signAll: (directory, options) => {
      for (const name of readdirSync(directory).filter((one) => one.endsWith('.csr'))) {
        const request = join(directory, name);
        sign(request, request.replace(/csr$/, 'crt'), options);
      }
    },
  };
}
