import { join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { CommandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import type { Layout } from './layout.ts';
import { readFile } from './reading.ts';

/**
 * Where a new request goes. kubeadm's layout: `etcd/server.key` and `.csr` in the cert dir; a kubeconfig that holds the
 * key, and `<name>.csr` beside it.
 */
export interface NewRequest {
  readonly spec: CertificateSpec;
  /** The key, or the kubeconfig that holds it. */
  readonly key: FileTarget;
  readonly request: FileTarget;
}

/**
 * The places of a new request, which must be free: nothing is overwritten.
 * @throws KubepkiError conflict, in kubeadm's words
 */
export function freePlaces(
  { root, certDir, kubeconfigDir }: Layout,
  spec: CertificateSpec,
  command: CommandLine,
): NewRequest {
  const free = (path: string, taken: string): FileTarget => {
    const { target } = readFile(root, path);
    if (target.before === undefined) return target;
    throw new KubepkiError('conflict', `file already exists: ${taken}`, {
      file: path,
      hint: `nothing was changed; bring the signed certificates home (${command('install')}), or move the files away`,
    });
  };
  if (spec.kind === 'leaf') {
    const base = join(certDir, spec.baseName);
    const taken = `key or CSR ${base}`;
    return { spec, key: free(`${base}.key`, taken), request: free(`${base}.csr`, taken) };
  }
  const file = join(kubeconfigDir, spec.name);
  return {
    spec,
    key: free(file, `kube config: ${file}`),
    request: free(`${file}.csr`, `csr: ${file}.csr`),
  };
}
