import { dryRunLines, type PlannedChange } from '../render/dry-run.ts';
import type { Terminal } from './terminal.ts';

/**
 * What a command would do, for a person or as lines.
 * @param files those that belong to no one certificate alone
 * @param heading the lines above it
 */
export async function dryRunText(
  changes: readonly PlannedChange[],
  terminal: Terminal,
  { files = [], heading = '' }: { readonly files?: readonly string[]; readonly heading?: string } = {},
): Promise<string> {
  const look = terminal.tableLook();
  if (look === undefined) return heading + dryRunLines(changes, files);
  const [{ dryRunTables }, { foldedText }] = await Promise.all([
    import('../terminal/tables/dry-run.ts'),
    import('../terminal/tables/folded-text.ts'),
  ]);
  return foldedText(heading, look) + dryRunTables(changes, files, look);
}
