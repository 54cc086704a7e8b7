import type { InitSpec } from '../../catalog/init-order.ts';
import { printableLines } from '../printable.ts';

export interface ShownGeneration {
  readonly status: 'existing' | 'keyless' | 'new' | 'unmanaged';
  readonly spec: InitSpec;
  /** The SANs of a serving certificate that was made. */
  readonly names?:
    { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } | undefined;
  /** The path of a kubeconfig. */
  readonly path?: string | undefined;
}

/** The lines of `kubeadm init phase certs` and `kubeadm init phase kubeconfig`. */
export function generationLines(
  shown: readonly ShownGeneration[],
  { certDir, kubeconfigDir }: { readonly certDir: string; readonly kubeconfigDir: string },
  { dryRun }: { readonly dryRun: boolean },
): string {
  const certs = shown.filter(({ spec }) => spec.kind !== 'kubeconfig');
  const kubeconfigs = shown.filter(({ spec }) => spec.kind === 'kubeconfig');
  return printableLines([
    ...(certs.length === 0 ? [] : [`[certs] Using certificateDir folder ${JSON.stringify(certDir)}`]),
    ...certs.flatMap((one) => certLines(one, dryRun)),
    ...(kubeconfigs.length === 0
      ? []
      : [`[kubeconfig] Using kubeconfig folder ${JSON.stringify(kubeconfigDir)}`]),
    ...kubeconfigs.map((one) => kubeconfigLine(one, dryRun)),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]);
}

function certLines({ status, spec, names }: ShownGeneration, dryRun: boolean): string[] {
  if (spec.kind === 'kubeconfig') return [];
  const generating = dryRun ? 'Would generate' : 'Generating';
  if (spec.kind === 'service-account') {
    return [
      status === 'new'
        ? `[certs] ${generating} "sa" key and public key`
        : '[certs] Using the existing "sa" key',
    ];
  }
  const { baseName } = spec;
  switch (status) {
    case 'new': {
      const made = `[certs] ${generating} ${JSON.stringify(baseName)} certificate and key`;
      if (names === undefined) return [made];
      // Go's %v of a list.
      const list = (values: readonly string[]): string => `[${values.join(' ')}]`;
      const sans = `DNS names ${list(names.dnsNames)} and IPs ${list(names.ipAddresses)}`;
      return [made, `[certs] ${baseName} serving cert is signed for ${sans}`];
    }
    case 'keyless':
      return [`[certs] Using existing ${baseName} keyless certificate authority`];
    case 'existing': {
      const what = spec.kind === 'ca' ? 'certificate authority' : 'certificate and key on disk';
      return [`[certs] Using existing ${baseName} ${what}`];
    }
    case 'unmanaged': {
      const what = spec.kind === 'ca' ? 'certificate authority' : 'certificate';
      return [`[certs] External etcd mode: Skipping ${baseName} ${what} generation`];
    }
  }
}

function kubeconfigLine({ status, spec, path }: ShownGeneration, dryRun: boolean): string {
  if (status === 'existing')
    return `[kubeconfig] Using existing kubeconfig file: ${JSON.stringify(path ?? spec.name)}`;
  return `[kubeconfig] ${dryRun ? 'Would write' : 'Writing'} ${JSON.stringify(spec.name)} kubeconfig file`;
}
