import { basename, join } from 'node:path';
import { certificates, kubeletKubeconfig, type CertificateSpec } from '../catalog/catalog.ts';
import { initSpecs, type InitSpec } from '../catalog/init-order.ts';
import { KubepkiError } from '../errors/error.ts';
import type { MaybeEmbedded } from '../kubeconfig/kubeconfig.ts';
import type { FoundPlace, Inventory } from './inventory.ts';
import { locateBeside, readAuthorityFile, readKubeconfigSlot } from './kubeconfig-files.ts';
import type { Layout } from './layout.ts';
import { placeIn } from './look-ups.ts';
import { readKeyTarget, type PrivateKeys } from './private-keys.ts';
import { named, namingOf, readFile, reading, type Reading } from './reading.ts';

/** The places by the names of what can be installed: kubelet.conf too, which `generate-csr` asks for. */
export type Places = ReadonlyMap<string, Reading<FoundPlace>>;

/** Looks again only where no certificate could be read. */
export function readPlaces({ layout, certificates: entries }: Inventory, keys: PrivateKeys): Places {
  return new Map(
    [...certificates, kubeletKubeconfig].map((spec) => {
      const entry = entries.find((one) => one.spec === spec);
      const place = reading(spec.name, () =>
        entry?.state.status === 'present' ? placeIn(entry, keys) : readPlace(layout, spec),
      );
      return [spec.name, place];
    }),
  );
}

/** @throws KubepkiError with `file` when the place cannot be looked at, or there is no kubeconfig to put it into */
function readPlace(layout: Layout, spec: CertificateSpec): FoundPlace {
  const { root, certDir } = layout;
  if (spec.kind === 'leaf') {
    return {
      kind: 'leaf',
      certificate: readFile(root, join(certDir, `${spec.baseName}.crt`)).target,
      key: readKeyTarget(root, join(certDir, `${spec.baseName}.key`), undefined),
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
  const pathOf = (credential: MaybeEmbedded): string | undefined =>
    credential.kind === 'file' ? locateBeside(root, file, credential.path) : undefined;
  const namedBy = namingOf(file);
  const certificate = pathOf(kubeconfig.clientCertificate);
  const key = pathOf(kubeconfig.clientKey);
  return {
    kind: 'kubeconfig',
    file,
    kubeconfig,
    certificate: certificate === undefined ? undefined : named(readFile(root, certificate).target, namedBy),
    key: key === undefined ? undefined : readKeyTarget(root, key, namedBy),
    authorityFile: readAuthorityFile(root, file, kubeconfig),
  };
}

/** The name of the certificate that each file belongs to, by host path without symlinks. */
export function ownedFiles(inventory: Inventory): ReadonlyMap<string, string> {
  const { root } = inventory.layout;
  return new Map(
    initSpecs.flatMap((spec) =>
      pathsOf(spec, inventory).flatMap((path): [string, string][] => {
        const resolved = reading(path, () => root.resolve(path));
        // The two halves of the service-account key have other readers, and so names of their own.
        const name = spec.kind === 'service-account' ? basename(path) : spec.name;
        return resolved.status === 'present' ? [[resolved.value, name]] : [];
      }),
    ),
  );
}

function pathsOf(spec: InitSpec, { layout: { certDir, kubeconfigDir }, certificates }: Inventory): string[] {
  switch (spec.kind) {
    case 'ca':
    case 'leaf':
      return [join(certDir, `${spec.baseName}.crt`), join(certDir, `${spec.baseName}.key`)];
    case 'service-account':
      return [join(certDir, 'sa.key'), join(certDir, 'sa.pub')];
    case 'kubeconfig': {
      const entry = certificates.find((one) => one.spec === spec);
      const state =
        entry?.kind === 'kubeconfig' && entry.state.status === 'present' ? entry.state.value : undefined;
      const named = [state?.certificateFile?.path, state?.keyPath];
      return [join(kubeconfigDir, spec.name), ...named.filter((path) => path !== undefined)];
    }
  }
}
