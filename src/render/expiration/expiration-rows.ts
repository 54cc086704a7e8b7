import type { ExpirationRow } from '../../operations/expiration/expiration-report.ts';
import { humanDuration } from '../human-duration.ts';
import { kubeadmDate } from '../kubeadm-date.ts';
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
