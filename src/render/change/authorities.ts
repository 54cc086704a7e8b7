import type { Elsewhere } from '../../operations/change/change-report.ts';
import { printableLines } from '../printable.ts';
import { kubeadmDate } from '../times.ts';

export type ShownAuthority = { readonly longName: string } & (
  | { readonly status: 'renewed' | 'replaced' | 'unchanged'; readonly notAfter: Date }
  | { readonly status: 'in-place'; readonly notAfter: Date; readonly file: string }
  | { readonly status: 'missing' | 'unmanaged' }
  | { readonly status: 'external-ca'; readonly baseName: string }
);

/** A line for each CA. */
export function authorityLines(shown: readonly ShownAuthority[]): string {
  return printableLines(shown.map(sentence));
}

function sentence(one: ShownAuthority): string {
  switch (one.status) {
    case 'renewed':
      return `${one.longName} renewed, ends ${kubeadmDate(one.notAfter)}`;
    case 'replaced':
      return `${one.longName} replaced by its renewed certificate, ends ${kubeadmDate(one.notAfter)}`;
    case 'in-place':
      return `${one.longName} is that of ${one.file} already, ends ${kubeadmDate(one.notAfter)}`;
    case 'unchanged':
      return `${one.longName} not renewed: it ends ${kubeadmDate(one.notAfter)}, and a renewed one no later`;
    case 'missing':
      return `MISSING! ${one.longName}`;
    case 'unmanaged':
      return `External etcd detected, ${one.longName} is not renewed here`;
    case 'external-ca':
      return `Detected external ${one.baseName}, ${one.longName} can't be renewed`;
  }
}

/** What has to follow, with a command below each. */
export function elsewhereLines(elsewhere: readonly Elsewhere[]): string {
  if (elsewhere.length === 0) return '';
  const blocks = elsewhere.flatMap(({ what, command }) => [`  ${what}:`, `    ${command}`]);
  return `\n${printableLines(['Copies that this command cannot reach, and what brings each up to date:', ...blocks])}`;
}
