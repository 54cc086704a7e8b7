import { historyDocument, historyTable, type HistoryEntry } from '../../render/change/history.ts';
import { listBackups } from '../../storage/backup.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { openNode, type NodeOptions, readConfiguration } from '../../node/node-options.ts';
import type { Typed } from '../../flags/table.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { noteWaiting, stateOf } from '../../node/waiting.ts';

export interface HistoryOptions extends NodeOptions, Typed<'output'> {}

export async function showHistory(options: HistoryOptions, terminal: Terminal): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  await noteWaiting(node, terminal);
  const { backups, damaged } = listBackups(stateOf(node));
  for (const { error } of damaged) terminal.warning(`a damaged backup: ${error.oneLine}`);
  const entries = backups.map(({ files, ...rest }) => ({ ...rest, files: files.map(({ path }) => path) }));
  const { output } = options;
  terminal.result(
    output === 'text' ? await historyText(entries, terminal) : historyDocument(entries, output),
  );
  return exitCodes.done;
}

async function historyText(entries: readonly HistoryEntry[], terminal: Terminal): Promise<string> {
  const look = terminal.tableLook();
  if (look === undefined) return historyTable(entries);
  const { historyTables } = await import('../../terminal/tables/history.ts');
  return historyTables(entries, look);
}
