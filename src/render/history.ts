import Table from 'cli-table3';
import type { CertificateRecord } from '../changeset/change-set.ts';

export interface HistoryEntry {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly user: string;
  readonly command: string;
  readonly certificates: readonly CertificateRecord[];
}

/** The newest first. */
export function historyTable(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return 'no backups yet\n';
  const rows = [
    ['ID', 'USER', 'CERTIFICATES', 'COMMAND'],
    ...entries.map(({ id, user, certificates, command }) => [id, user, String(certificates.length), command]),
  ];
  const table = new Table({
    chars: Object.fromEntries(frame.map((part) => [part, ''])),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 3 },
  });
  table.push(...rows);
  return `${table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

export function historyDocument(entries: readonly HistoryEntry[]): string {
  const document = { kind: 'BackupList', apiVersion: 'kubepki/v1', backups: entries };
  return `${JSON.stringify(document, undefined, 4)}\n`;
}

const frame = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
];
