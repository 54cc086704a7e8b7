import { dryRunLines, type PlannedChange } from '../render/dry-run.ts';
import type { Terminal } from './terminal.ts';

/**
 * What a command would do, for a person or as lines.
 * @param files those that belong to no one certificate alone
 */
export async function dryRunText(
  changes: readonly PlannedChange[],
  files: readonly string[],
  terminal: Terminal,
): Promise<string> {
  const look = terminal.tableLook();
  if (look === undefined) return dryRunLines(changes, files);
  const { dryRunTables } = await import('../terminal/tables/dry-run.ts');
  return dryRunTables(changes, files, look);
}
