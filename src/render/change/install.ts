import { kubeadmDate } from '../times.ts';
import { printable } from '../printable.ts';

export type ShownInstall =
  | {
      readonly status: 'installed' | 'in-place';
      readonly longName: string;
      readonly notAfter: Date;
      readonly files: readonly string[];
    }
  | { readonly status: 'pending'; readonly longName: string; readonly certificate: string }
  | { readonly status: 'idle'; readonly longName: string };

/** What was brought home, and what is still to come. */
export function installLines(
  certificates: readonly ShownInstall[],
  { directory, dryRun }: { readonly directory: string; readonly dryRun: boolean },
): string {
  const lines =
    certificates.length === 0
      ? [`nothing waits for a signature in ${directory}`]
      : certificates.flatMap(block);
  return [
    ...lines.map((line) => (dryRun ? line.replace(/ installed,/, ' would be installed,') : line)),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function block(one: ShownInstall): string[] {
  switch (one.status) {
    case 'installed':
      return [
        `${one.longName} installed, ends ${kubeadmDate(one.notAfter)}`,
        ...one.files.map((file) => `  ${file}`),
      ];
    case 'in-place':
      return [
        `${one.longName} is in its place and has been checked, ends ${kubeadmDate(one.notAfter)}`,
        ...one.files.map((file) => `  ${file}`),
      ];
    case 'pending':
      return [`${one.longName} not signed yet, expected as ${one.certificate}`];
    case 'idle':
      return [`${one.longName} was not asked for: nothing waits`];
  }
}
