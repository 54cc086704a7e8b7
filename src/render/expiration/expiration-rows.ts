import { Chalk, type ChalkInstance } from 'chalk';
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

const soonMs = 30 * 24 * 3600 * 1000;

/** A row as it is printed, and whether that is urgent. */
export interface Line {
  readonly cells: readonly string[];
  readonly urgency: Urgency;
}

type Urgency = 'now' | 'soon' | 'none';

/** Name, date, time left, CA, whether that is external. */
export function certificateLine(row: ExpirationRow): Line {
  const cells =
    row.status === 'present'
      ? [
          row.refused ? `${invalid} ${row.name}` : row.name,
          kubeadmDate(row.notAfter),
          humanDuration(row.residualMs),
          row.caName ?? '',
          external(row),
        ]
      : [marked(row), '', '', '', ''];
  return { cells, urgency: urgencyOf(row) };
}

/** The same without the CA. */
export function authorityLine(row: ExpirationRow): Line {
  const cells =
    row.status === 'present'
      ? [row.name, kubeadmDate(row.notAfter), humanDuration(row.residualMs), external(row)]
      : [marked(row), '', '', ''];
  return { cells, urgency: urgencyOf(row) };
}

/** @param colour the same text, coloured by urgency: red what is wrong now, yellow what will be within 30 days */
export function expirationRows(
  header: readonly string[],
  lines: readonly Line[],
  { colour }: { readonly colour: boolean },
): string {
  const cells = [header, ...lines.map((line) => line.cells)];
  const [titles = '', ...rows] = tabWriter(cells, { minimumWidth, padding });
  const paints = colour ? paintsOf(new Chalk({ level: 1 })) : undefined;
  const painted = lines.map(({ urgency }, index) => {
    const row = rows[index] ?? '';
    return paints === undefined ? row : paints[urgency](row);
  });
  return [titles, ...painted].map((row) => `${row}\n`).join('');
}

function marked(row: Exclude<ExpirationRow, { status: 'present' }>): string {
  return `${row.status === 'missing' ? '!MISSING!' : invalid} ${row.name}`;
}

function external(row: Extract<ExpirationRow, { status: 'present' }>): string {
  return (row.externallyManaged ? 'yes' : 'no').padEnd(lastCellWidth);
}

function urgencyOf(row: ExpirationRow): Urgency {
  if (row.status !== 'present' || row.faults.length > 0 || row.residualMs < 0) return 'now';
  return row.residualMs <= soonMs ? 'soon' : 'none';
}

function paintsOf(chalk: ChalkInstance): Readonly<Record<Urgency, (text: string) => string>> {
  return { now: chalk.red, soon: chalk.yellow, none: (text) => text };
}
