import type { TreeExpiration } from '../../operations/expiration/tree-expiration.ts';
import { certificateCells, expirationRows, invalid } from './expiration-rows.ts';
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
export function treesTable(trees: readonly TreeExpiration[]): string {
  return expirationRows([header, ...trees.flatMap(rowsOf)]);
}

function rowsOf({ node: typed, report }: TreeExpiration): (readonly string[])[] {
  const node = printable(typed);
  // Why, stderr says.
  if (report === undefined) return [[node, invalid, '', '', '', '']];
  return [...report.certificates, ...report.certificateAuthorities].map((row) => [
    node,
    ...certificateCells(row),
  ]);
}
