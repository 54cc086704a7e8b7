import type { InitSpec } from '../../catalog/init-order.ts';
import { printable } from '../printable.ts';

export interface ShownGeneration {
  readonly status: 'existing' | 'keyless' | 'new' | 'unmanaged';
  readonly spec: InitSpec;
  /** The SANs of a serving certificate that was made. */
  readonly names?:
    { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } | undefined;
  /** The path of a kubeconfig. */
  readonly path?: string | undefined;
}

interface GenerationDirectories {
  readonly certDir: string;
  readonly kubeconfigDir: string;
}

/** The lines of `kubeadm init phase certs` and `kubeadm init phase kubeconfig`. */
export function generationLines(
  shown: readonly ShownGeneration[],
  { certDir, kubeconfigDir }: GenerationDirectories,
  { dryRun }: { readonly dryRun: boolean },
): string {
  const certs = shown.filter(({ spec }) => spec.kind !== 'kubeconfig');
  const kubeconfigs = shown.filter(({ spec }) => spec.kind === 'kubeconfig');
  return [
    ...(certs.length === 0 ? [] : [`[certs] Using certificateDir folder ${JSON.stringify(certDir)}`]),
    ...certs.flatMap((one) => certLines(one, dryRun)),
    ...(kubeconfigs.length === 0
      ? []
      : [`[kubeconfig] Using kubeconfig folder ${JSON.stringify(kubeconfigDir)}`]),
    ...kubeconfigs.map((one) => kubeconfigLine(one, dryRun)),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
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
    case 'new':
      return [
        `[certs] ${generating} ${JSON.stringify(baseName)} certificate and key`,
        ...(names === undefined
          ? []
          : [
              // Go's %v of a list.
              `[certs] ${baseName} serving cert is signed for DNS names [${names.dnsNames.join(' ')}] and IPs [${names.ipAddresses.join(' ')}]`,
            ]),
      ];
    case 'keyless':
      return [`[certs] Using existing ${baseName} keyless certificate authority`];
    case 'existing':
      return [
        spec.kind === 'ca'
          ? `[certs] Using existing ${baseName} certificate authority`
          : `[certs] Using existing ${baseName} certificate and key on disk`,
      ];
    case 'unmanaged':
      return [
        spec.kind === 'ca'
          ? `[certs] External etcd mode: Skipping ${baseName} certificate authority generation`
          : `[certs] External etcd mode: Skipping ${baseName} certificate generation`,
      ];
  }
}

function kubeconfigLine({ status, spec, path }: ShownGeneration, dryRun: boolean): string {
  if (status === 'existing')
    return `[kubeconfig] Using existing kubeconfig file: ${JSON.stringify(path ?? spec.name)}`;
  return `[kubeconfig] ${dryRun ? 'Would write' : 'Writing'} ${JSON.stringify(spec.name)} kubeconfig file`;
}
