import { kubeadmDate } from '../times.ts';
import { printableLines } from '../printable.ts';

export type ShownInstall =
  | {
      readonly status: 'installed' | 'in-place';
      readonly longName: string;
      readonly notAfter: Date;
      readonly files: readonly string[];
    }
  | { readonly status: 'pending'; readonly longName: string; readonly certificate: string }
  | { readonly status: 'idle'; readonly longName: string };

/** The certificates that were brought home, and those still to come. */
export function installLines(
  certificates: readonly ShownInstall[],
  { directory, dryRun }: { readonly directory: string; readonly dryRun: boolean },
): string {
  const lines =
    certificates.length === 0
      ? [`nothing waits for a signature in ${directory}`]
      : certificates.flatMap(block);
  return printableLines([
    ...lines.map((line) => (dryRun ? line.replace(/ installed,/, ' would be installed,') : line)),
    ...(dryRun ? ['nothing was changed (--dry-run)'] : []),
  ]);
}

function block(one: ShownInstall): string[] {
  switch (one.status) {
    case 'installed':
    case 'in-place': {
      const what = one.status === 'installed' ? 'installed' : 'is in its place and has been checked';
      const ends = `${one.longName} ${what}, ends ${kubeadmDate(one.notAfter)}`;
      return [ends, ...one.files.map((file) => `  ${file}`)];
    }
    case 'pending':
      return [`${one.longName} not signed yet, expected as ${one.certificate}`];
    case 'idle':
      return [`${one.longName} was not asked for: nothing waits`];
  }
}
