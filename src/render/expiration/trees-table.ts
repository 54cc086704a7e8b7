import type { TreeExpiration } from '../../operations/expiration/tree-expiration.ts';
import { certificateLine, expirationRows, invalid, type Line } from './expiration-rows.ts';
import { printable } from '../printable.ts';

const header = [
  'NODE',
  'CERTIFICATE',
  'EXPIRES',
  'RESIDUAL TIME',
  'CERTIFICATE AUTHORITY',
  'EXTERNALLY MANAGED',
];

/** One table for all trees: kubeadm's rows, the CAs among them, behind the node that they belong to. */
export function treesTable(trees: readonly TreeExpiration[], style: { readonly colour: boolean }): string {
  return expirationRows(header, trees.flatMap(linesOf), style);
}

function linesOf({ node: typed, report }: TreeExpiration): Line[] {
  const node = printable(typed);
  // Why, stderr says.
  if (report === undefined) return [{ cells: [node, invalid, '', '', '', ''], urgency: 'now' }];
  return [...report.certificates, ...report.certificateAuthorities]
    .map(certificateLine)
    .map(({ cells, urgency }) => ({ cells: [node, ...cells], urgency }));
}
