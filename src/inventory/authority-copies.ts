import { join } from 'node:path';
import { certificateAuthorities, certificates, kubeletKubeconfig, type CaName } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError, naming } from '../errors/error.ts';
import type { PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readPartialKubeconfig } from '../kubeconfig/read.ts';
import { certificateBlocks, parseCertificate, type Certificate } from '../pki/certificate/certificate.ts';
import { textOf } from './kubeconfig-files.ts';
import type { Layout } from './layout.ts';
import { readFile, reading, type Reading } from './reading.ts';

/** A file in which a node keeps certificates of its CAs: the file of a CA, or a kubeconfig that holds them. */
export type AuthorityCopy = {
  readonly target: FileTarget;
  /** PEM; of a kubeconfig what it holds, decoded. */
  readonly pem: Buffer;
  /** Those that can be read, in the order of the file. */
  readonly certificates: readonly Certificate[];
} & (
  | { readonly kind: 'file'; readonly name: CaName }
  | { readonly kind: 'kubeconfig'; readonly name: string; readonly kubeconfig: PartialKubeconfig }
);

/** A kubeconfig that names a file for its CAs holds none. Never throws for a bad file. */
export function readAuthorityCopies(layout: Layout): Reading<AuthorityCopy>[] {
  const { certDir, kubeconfigDir } = layout;
  const kubeconfigs = [...certificates, kubeletKubeconfig].filter(({ kind }) => kind === 'kubeconfig');
  const found = [
    ...certificateAuthorities.map(({ name, baseName }) => {
      const path = join(certDir, `${baseName}.crt`);
      return reading(path, () => readAuthorityFile(layout, path, name));
    }),
    ...kubeconfigs.map(({ name }) => {
      const path = join(kubeconfigDir, name);
      return reading(path, () => readKubeconfigCopy(layout, path, name));
    }),
  ];
  // One file may have several names, as where all CAs are one.
  const seen = new Set<string>();
  return found.filter((copy) => {
    if (copy.status !== 'present') return copy.status === 'unreadable';
    const { resolvedPath } = copy.value.target;
    const isNew = !seen.has(resolvedPath);
    seen.add(resolvedPath);
    return isNew;
  });
}

function readAuthorityFile({ root }: Layout, path: string, name: CaName): AuthorityCopy | undefined {
  const { target, bytes } = readFile(root, path);
  return bytes && { kind: 'file', name, target, pem: bytes, certificates: readable(bytes) };
}

function readKubeconfigCopy({ root }: Layout, path: string, name: string): AuthorityCopy | undefined {
  const { target, bytes } = readFile(root, path);
  if (bytes === undefined) return undefined;
  const kubeconfig = readPartialKubeconfig(textOf(bytes));
  if (kubeconfig.clusterCa.kind !== 'data') return undefined;
  const pem = kubeconfig.clusterCa.bytes;
  naming(path, () => textOf(pem));
  return { kind: 'kubeconfig', name, target, pem, certificates: readable(pem), kubeconfig };
}

/** One that cannot be read is nothing that could be replaced, and keeps no other from being. */
function readable(pem: Buffer): Certificate[] {
  return certificateBlocks(pem).flatMap((der) => {
    try {
      return [parseCertificate(der)];
    } catch (error) {
      if (error instanceof KubepkiError) return [];
      throw error;
    }
  });
}
