import { join } from 'node:path';
import { initSpecs, type InitSpec } from '../catalog/init-order.ts';
import type { Inventory } from './inventory.ts';
import { reading } from './reading.ts';

/** The name of the certificate that each file belongs to, by host path without symlinks. */
export function ownedFiles(inventory: Inventory): ReadonlyMap<string, string> {
  const { root } = inventory.layout;
  return new Map(
    initSpecs.flatMap((spec) =>
      pathsOf(spec, inventory).flatMap((path): [string, string][] => {
        const resolved = reading(path, () => root.resolve(path));
        return resolved.status === 'present' ? [[resolved.value, spec.name]] : [];
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
