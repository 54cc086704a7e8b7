import type { CertificateRecord } from '../../changeset/change-set.ts';
import type { PastChange } from '../../changeset/past-change.ts';
import { renderDocument, type DocumentFormat } from '../document.ts';
import { kubectlTable } from '../tab-writer.ts';

export interface HistoryEntry extends PastChange {
  /** RFC 3339. */
  readonly time: string;
  readonly user: string;
  readonly command: string;
  readonly certificates: readonly CertificateRecord[];
  /** The files that the change replaced or made. */
  readonly files: readonly string[];
}

/** @param entries the newest first */
export function historyTable(entries: readonly HistoryEntry[]): string {
  if (entries.length === 0) return 'no backups yet\n';
  return kubectlTable([
    ['ID', 'NUMBER', 'USER', 'RESTORED', 'COMMAND', 'CERTIFICATES'],
    ...entries.map(({ id, sequence, user, restored, command, certificates }) => [
      id,
      String(sequence),
      user,
      restored === null ? '-' : String(restored.sequence),
      command,
      certificates.length === 0 ? '-' : certificates.map(({ name }) => name).join(', '),
    ]),
  ]);
}

export function historyDocument(entries: readonly HistoryEntry[], format: DocumentFormat): string {
  const backups = entries.map(({ id, sequence, time, user, command, restored, certificates, files }) => ({
    id,
    number: sequence,
    time,
    user,
    command,
    restoredBackup: restored === null || restored.id === '' ? null : restored.id,
    certificates,
    files,
  }));
  return renderDocument('BackupList', { backups }, format);
}
