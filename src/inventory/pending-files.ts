import { dirname, join } from 'node:path';
import type { CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import type { PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import { readPartialKubeconfig } from '../kubeconfig/read.ts';
import { parseRequest, type CertificationRequest } from '../pki/certification-request.ts';
import { parsePrivateKey, type PrivateKey } from '../pki/private-key.ts';
import type { Layout } from './layout.ts';
import { readRequestFiles, readSlot, type Slot } from './request-files.ts';

/** A request, the keys that may be its own, and where the signed certificate is expected. */
export interface PendingFiles {
  readonly spec: CertificateSpec;
  readonly request: Slot<CertificationRequest>;
  readonly keys: readonly Slot<PrivateKey>[];
  readonly certificatePaths: readonly string[];
}

/** A kubeconfig that may still lack its certificate. */
export interface KubeconfigSlot {
  readonly target: FileTarget;
  readonly kubeconfig: PartialKubeconfig;
}

/**
 * Where requests for a certificate may wait: under the flat names of `renew --csr-only` in a directory, and, when that
 * is the cert dir, where `generate-csr` puts them (`etcd/server.csr`, `admin.conf.csr` beside the kubeconfig).
 */
export function readPendingFiles(layout: Layout, directory: string, spec: CertificateSpec): PendingFiles[] {
  const { root, certDir, kubeconfigDir } = layout;
  const flat = readRequestFiles(root, directory, spec);
  const flatPath = (suffix: string): string => join(directory, `${spec.name}.${suffix}`);
  const places: PendingFiles[] = [
    {
      spec,
      request: flat.request,
      keys: [flat.newKey, flat.key],
      certificatePaths: [flatPath('crt.new'), flatPath('crt')],
    },
  ];
  if (root.resolve(directory) !== root.resolve(certDir)) return places;
  if (spec.kind === 'kubeconfig') {
    if (root.resolve(kubeconfigDir) === root.resolve(directory)) return places;
    const path = (suffix: string): string => join(kubeconfigDir, `${spec.name}.${suffix}`);
    const key = embeddedKey(layout, spec.name);
    places.push({
      spec,
      request: readSlot(root, path('csr'), parseRequest),
      keys: key === undefined ? [] : [key],
      certificatePaths: [path('crt')],
    });
  } else if (spec.baseName !== spec.name) {
    const path = (suffix: string): string => join(certDir, `${spec.baseName}.${suffix}`);
    places.push({
      spec,
      request: readSlot(root, path('csr'), parseRequest),
      keys: [readSlot(root, path('key.new'), parsePrivateKey), readSlot(root, path('key'), parsePrivateKey)],
      certificatePaths: [path('crt.new'), path('crt')],
    });
  }
  return places;
}

/** @returns undefined when the file is not there, or is no kubeconfig: then it holds no key for us */
export function readKubeconfigSlot(layout: Layout, name: string): Slot<PartialKubeconfig> {
  return readSlot(layout.root, join(layout.kubeconfigDir, name), (bytes) =>
    readPartialKubeconfig(bytes.toString('utf8')),
  );
}

function embeddedKey(layout: Layout, name: string): Slot<PrivateKey> | undefined {
  const { target, content } = readKubeconfigSlot(layout, name);
  if (content.status !== 'present') return undefined;
  const { clientKey } = content.value;
  switch (clientKey.kind) {
    case 'absent':
      return undefined;
    case 'data':
      return { target, content: { status: 'present', value: parsePrivateKey(clientKey.bytes) } };
    case 'file':
      return readSlot(layout.root, layout.root.locate(clientKey.path, dirname(target.path)), parsePrivateKey);
  }
}
