import type { CertificateRecord } from '../changeset/change-set.ts';
import { renderDocument, type DocumentFormat } from './document.ts';
import { printable } from './printable.ts';
import { tabWriter } from './tab-writer.ts';

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
  return tabWriter(
    rows.map((row) => row.map(printable)),
    { padding: 3 },
  )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

export function historyDocument(entries: readonly HistoryEntry[], format: DocumentFormat): string {
  return renderDocument('BackupList', { backups: entries }, format);
}
