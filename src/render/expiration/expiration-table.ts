import type { ExpirationRow, KubeadmReport } from '../../operations/expiration/expiration-report.ts';
import type { TreeExpiration } from '../../operations/expiration/expiration.ts';
import { humanDuration, kubeadmDate } from '../times.ts';
import { printable } from '../printable.ts';
import { tabWriter } from '../tab-writer.ts';

// kubeadm's tabwriter: columns at least 10 wide, 3 spaces between them.
const minimumWidth = 10;
const padding = 3;
// The last cell is written with %-8v; tabwriter does not pad it.
const lastCellWidth = 8;

// Not one of kubeadm's, which then prints no table at all.
export const invalid = '!INVALID!';

/** Name, date, time left, CA, whether that is external. */
export function certificateCells(row: ExpirationRow): readonly string[] {
  if (row.status !== 'present') return [marked(row), '', '', '', ''];
  return [
    row.refused ? `${invalid} ${row.name}` : row.name,
    kubeadmDate(row.notAfter),
    humanDuration(row.residualMs),
    row.caName ?? '',
    external(row),
  ];
}

/** The same without the CA. */
export function authorityCells(row: ExpirationRow): readonly string[] {
  if (row.status !== 'present') return [marked(row), '', '', ''];
  return [row.name, kubeadmDate(row.notAfter), humanDuration(row.residualMs), external(row)];
}

export function expirationRows(rows: readonly (readonly string[])[]): string {
  return tabWriter(rows, { minimumWidth, padding })
    .map((row) => `${row}\n`)
    .join('');
}

function marked(row: Exclude<ExpirationRow, { status: 'present' }>): string {
  return `${row.status === 'missing' ? '!MISSING!' : invalid} ${row.name}`;
}

function external(row: Extract<ExpirationRow, { status: 'present' }>): string {
  return (row.externallyManaged ? 'yes' : 'no').padEnd(lastCellWidth);
}

/** The two tables of `kubeadm certs check-expiration`, byte for byte. */
export function expirationTable(report: KubeadmReport): string {
  const certificates = expirationRows([
    ['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'],
    ...report.certificates.map(certificateCells),
  ]);
  const authorities = expirationRows([
    ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'],
    ...report.certificateAuthorities.map(authorityCells),
  ]);
  return `${certificates}\n${authorities}`;
}

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
