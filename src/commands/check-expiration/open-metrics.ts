import type { FileSystemRoot } from '../../filesystem/root.ts';
import type { MetricsFile } from './metrics-file.ts';
import type { Typed } from '../../flags/table.ts';

/** Where the file cannot be written, its `write` says so: what there is to show is shown first. */
export async function openMetrics(
  root: FileSystemRoot,
  { textfile }: Typed<'textfile'>,
): Promise<MetricsFile | undefined> {
  if (textfile === undefined) return undefined;
  const { openMetricsFile } = await import('./metrics-file.ts');
  return openMetricsFile(root, textfile);
}
