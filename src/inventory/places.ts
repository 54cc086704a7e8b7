import { dirname, join } from 'node:path';
import { certificates, kubeletKubeconfig, type CertificateSpec } from '../catalog/catalog.ts';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Embedded, MaybeEmbedded, PartialKubeconfig } from '../kubeconfig/kubeconfig.ts';
import type { Chain } from '../pki/certificate/certificate.ts';
import { readAuthorityFile } from './inventory.ts';
import type { Layout } from './layout.ts';
import { readKubeconfigSlot } from './pending-files.ts';
import { readKeyTarget } from './key-targets.ts';
import { named, namingOf, readFile, reading, type Reading } from './reading.ts';
import type { Slot } from './request-files.ts';

/** Where a certificate and its key belong, whether they are there or not. */
export type FoundPlace =
  | { readonly kind: 'leaf'; readonly certificate: FileTarget; readonly key: FileTarget }
  | {
      readonly kind: 'kubeconfig';
      readonly file: FileTarget;
      readonly kubeconfig: PartialKubeconfig;
      /** undefined: inside the kubeconfig. */
      readonly certificate: FileTarget | undefined;
      readonly key: FileTarget | undefined;
      /** Where the cluster names a file instead of holding its CAs. */
      readonly authorityFile: Slot<Chain> | undefined;
    };

/** By the names of what can be installed: kubelet.conf too, which `generate-csr` asks for. */
export type Places = ReadonlyMap<string, Reading<FoundPlace>>;

export function readPlaces(layout: Layout): Places {
  return new Map(
    [...certificates, kubeletKubeconfig].map((spec) => [
      spec.name,
      reading(spec.name, () => readPlace(layout, spec)),
    ]),
  );
}

/** @throws KubepkiError with `file` when the place cannot be looked at, or there is no kubeconfig to put it into */
function readPlace(layout: Layout, spec: CertificateSpec): FoundPlace {
  const { root, certDir } = layout;
  if (spec.kind === 'leaf') {
    return {
      kind: 'leaf',
      certificate: readFile(root, join(certDir, `${spec.baseName}.crt`)).target,
      key: readKeyTarget(layout, join(certDir, `${spec.baseName}.key`), undefined),
    };
  }
  const { target: file, content } = readKubeconfigSlot(layout, spec.name);
  if (content.status === 'unreadable') throw content.error;
  if (content.status === 'missing') {
    throw new KubepkiError('not-found', 'no such file: there is no kubeconfig to put the certificate into', {
      file: file.path,
      hint: 'name its directory with --kubeconfig-dir',
    });
  }
  const kubeconfig = content.value;
  const pathOf = (credential: Embedded | MaybeEmbedded): string | undefined =>
    credential.kind === 'file' ? root.locate(credential.path, dirname(file.path)) : undefined;
  const namedBy = namingOf(file);
  const certificate = pathOf(kubeconfig.clientCertificate);
  const key = pathOf(kubeconfig.clientKey);
  return {
    kind: 'kubeconfig',
    file,
    kubeconfig,
    certificate: certificate === undefined ? undefined : named(readFile(root, certificate).target, namedBy),
    key: key === undefined ? undefined : readKeyTarget(layout, key, namedBy),
    authorityFile: readAuthorityFile(layout, file, kubeconfig),
  };
}
