import type {
  AdditionalRow,
  ExpirationRow,
  ShownReport,
} from '../../operations/expiration/expiration-report.ts';
import type { TreeExpiration } from '../../operations/expiration/expiration.ts';
import { humanDuration, kubeadmDate } from '../times.ts';
import { printable } from '../printable.ts';
import { tabWriter } from '../tab-writer.ts';

// kubeadm's tabwriter: columns at least 10 wide, 3 spaces between them.
const minimumWidth = 10;
const padding = 3;
// kubeadm writes the last cell with %-8v, as tabwriter does not pad it.
const lastCellWidth = 8;

// kubeadm has no such mark: it then prints no table at all.
const invalid = '!INVALID!';

/** Name, date, time left, CA, whether that is external. */
function certificateCells(row: ExpirationRow): readonly string[] {
  if (row.status !== 'present') return [marked(row), '', '', '', ''];
  return [
    row.refused ? `${invalid} ${row.name}` : row.name,
    kubeadmDate(row.notAfter),
    humanDuration(row.residualMs),
    row.caName ?? '',
    external(row),
  ];
}

/** Name, date, time left, whether the key is external. */
function authorityCells(row: ExpirationRow): readonly string[] {
  if (row.status !== 'present') return [marked(row), '', '', ''];
  return [row.name, kubeadmDate(row.notAfter), humanDuration(row.residualMs), external(row)];
}

function expirationRows(rows: readonly (readonly string[])[]): string {
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

/** Name, date, time left, file. A name may be a path, and so anything. */
function additionalCells(row: AdditionalRow): readonly string[] {
  const file = printable(row.file ?? '');
  const named = { ...row, name: printable(row.name) };
  if (named.status !== 'present') return [marked(named), '', '', file];
  const name = named.faults.length > 0 ? `${invalid} ${named.name}` : named.name;
  return [name, kubeadmDate(named.notAfter), humanDuration(named.residualMs), file];
}

/** The two tables of `kubeadm certs check-expiration`, byte for byte; and a third where more was asked for. */
export function expirationTable(report: ShownReport): string {
  const certificates = expirationRows([
    ['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'],
    ...report.certificates.map(certificateCells),
  ]);
  const authorities = expirationRows([
    ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'],
    ...report.certificateAuthorities.map(authorityCells),
  ]);
  if (report.additional === undefined) return `${certificates}\n${authorities}`;
  const additional = expirationRows([
    ['OTHER CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'FILE'],
    ...report.additional.map(additionalCells),
  ]);
  return `${certificates}\n${authorities}\n${additional.replace(/ +$/gm, '')}`;
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

function rowsOf({ node: typed, report, doubt }: TreeExpiration): (readonly string[])[] {
  const node = printable(typed);
  // The reason is on stderr.
  const lost = [node, doubt === undefined ? invalid : `${invalid} ${doubt}`, '', '', '', ''];
  if (report === undefined) return [lost];
  const rows = [
    ...[...report.certificates, ...report.certificateAuthorities].map(certificateCells),
    ...(report.additional ?? []).map((row) => {
      const named = { ...row, name: printable(row.name) };
      // What is wrong with it is shown by no other row.
      return certificateCells(
        named.status === 'present' ? { ...named, refused: named.faults.length > 0 } : named,
      );
    }),
  ].map((cells) => [node, ...cells]);
  return doubt === undefined ? rows : [lost, ...rows];
}
