import { Chalk, type ChalkInstance } from 'chalk';
import type { ExpirationReport, ExpirationRow } from '../operations/expiration-report.ts';
import { humanDuration } from './human-duration.ts';
import { kubeadmDate } from './kubeadm-date.ts';
import { tabWriter } from './tab-writer.ts';

// kubeadm's tabwriter: columns at least 10 wide, 3 spaces between them.
const minimumWidth = 10;
const padding = 3;
// The last cell is written with %-8v; tabwriter does not pad it.
const lastCellWidth = 8;

// Not one of kubeadm's, which then prints no table at all.
const invalid = '!INVALID!';

const soonMs = 30 * 24 * 3600 * 1000;

type Paint = (text: string) => string;
interface Line {
  readonly cells: readonly string[];
  readonly paint: Paint;
}

/**
 * The two tables of `kubeadm certs check-expiration`, byte for byte.
 * @param colour the same text, coloured by urgency: expired, missing or invalid red, within 30 days yellow
 */
export function expirationTable(report: ExpirationReport, { colour }: { readonly colour: boolean }): string {
  const chalk = new Chalk({ level: colour ? 1 : 0 });
  const certificates = table(
    ['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'],
    report.certificates.map((row) => ({ cells: certificateCells(row), paint: urgency(row, chalk) })),
  );
  const authorities = table(
    ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'],
    report.certificateAuthorities.map((row) => ({ cells: authorityCells(row), paint: urgency(row, chalk) })),
  );
  return `${certificates}\n${authorities}`;
}

function certificateCells(row: ExpirationRow): string[] {
  if (row.status !== 'present') return [marked(row), '', '', '', ''];
  return [
    row.faulty ? `${invalid} ${row.name}` : row.name,
    kubeadmDate(row.notAfter),
    humanDuration(row.residualMs),
    row.caName ?? '',
    external(row),
  ];
}

function authorityCells(row: ExpirationRow): string[] {
  if (row.status !== 'present') return [marked(row), '', '', ''];
  return [row.name, kubeadmDate(row.notAfter), humanDuration(row.residualMs), external(row)];
}

function marked(row: Exclude<ExpirationRow, { status: 'present' }>): string {
  return `${row.status === 'missing' ? '!MISSING!' : invalid} ${row.name}`;
}

function external(row: Extract<ExpirationRow, { status: 'present' }>): string {
  return (row.externallyManaged ? 'yes' : 'no').padEnd(lastCellWidth);
}

function urgency(row: ExpirationRow, chalk: ChalkInstance): Paint {
  if (row.status !== 'present' || row.faulty || row.residualMs < 0) return chalk.red;
  return row.residualMs <= soonMs ? chalk.yellow : (text) => text;
}

function table(header: readonly string[], lines: readonly Line[]): string {
  const cells = [header, ...lines.map((line) => line.cells)];
  const [titles = '', ...rows] = tabWriter(cells, { minimumWidth, padding });
  const painted = lines.map(({ paint }, index) => paint(rows[index] ?? ''));
  return [titles, ...painted].map((row) => `${row}\n`).join('');
}
