import type { HistoryEntry } from '../../render/change/history.ts';
import { printable } from '../../render/printable.ts';
import { drawRows, drawTitles } from './draw.ts';
import { fit, type Column, type Layout } from './fit.ts';
import type { Look } from './look.ts';

type HistoryColumn = Column<HistoryEntry>;

// It is what `rollback` takes: never cut.
const id: HistoryColumn = { title: 'ID', cell: (entry) => entry.id };
const number: HistoryColumn = { title: 'NUMBER', cell: ({ sequence }) => String(sequence) };
const user: HistoryColumn = { title: 'USER', cell: (entry) => printable(entry.user), atLeast: 8 };
const restored: HistoryColumn = {
  title: 'RESTORED',
  cell: (entry) => (entry.restored === null ? '' : String(entry.restored.sequence)),
};
const command: HistoryColumn = {
  title: 'COMMAND',
  cell: (entry) => printable(entry.command),
  atLeast: 20,
  wraps: true,
};
const certificates: HistoryColumn = {
  title: 'CERTIFICATES',
  cell: (entry) => printable(entry.certificates.map(({ name }) => name).join(', ')),
  // The longest name and a comma.
  atLeast: 25,
  wraps: true,
};

const layouts: readonly Layout<HistoryEntry>[] = [
  [id, number, user, restored, command, certificates],
  [id, number, restored, command, certificates],
  [id, command, certificates],
  [id, certificates],
  [id, number],
  [id],
];

/** The backups for a person, the newest first. */
export function historyTables(entries: readonly HistoryEntry[], look: Look): string {
  if (entries.length === 0) return 'no backups yet\n';
  const columns = fit(layouts, entries, look.width);
  const sum = entries.length === 1 ? '1 backup' : `${String(entries.length)} backups`;
  return [drawTitles(columns, look), ...drawRows(columns, entries, look), `\n${sum}\n`].join('');
}
