import { dryRunLines, type PlannedChange } from '../render/change/dry-run.ts';
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
    import('./tables/dry-run.ts'),
    import('./tables/folded-text.ts'),
  ]);
  return foldedText(heading, look) + dryRunTables(changes, files, look);
}
