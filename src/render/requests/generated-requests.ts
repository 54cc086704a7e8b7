import { printable } from '../printable.ts';

interface GeneratedRequests {
  readonly certDir: string;
  readonly baseNames: readonly string[];
  readonly kubeconfigDir: string;
  readonly kubeconfigs: readonly string[];
}

/** kubeadm's lines, in an order that stays. */
export function generatedRequestLines(
  { certDir, baseNames, kubeconfigDir, kubeconfigs }: GeneratedRequests,
  { dryRun }: { readonly dryRun: boolean },
): string {
  const block = (directory: string, names: readonly string[]): string[] => [
    `${dryRun ? 'would generate' : 'generating'} keys and CSRs in ${directory}`,
    ...names.map((name) => `  ${name}`),
  ];
  return [
    ...block(certDir, baseNames),
    ...block(kubeconfigDir, kubeconfigs),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}
