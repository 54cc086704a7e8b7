import type { Option } from 'commander';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { MetricsFile } from '../commands/check-expiration/metrics-file.ts';
import { pathOption } from './options.ts';

export interface TextfileOption {
  readonly textfile?: string;
}

export function textfileOption(): Option {
  return pathOption(
    '--textfile <file>',
    "also write the metrics of -o prometheus there, for node_exporter's textfile collector",
  );
}

/** Where the file cannot be written, its `write` says so: what there is to show is shown first. */
export async function openMetrics(
  root: FileSystemRoot,
  { textfile }: TextfileOption,
): Promise<MetricsFile | undefined> {
  if (textfile === undefined) return undefined;
  const { openMetricsFile } = await import('../commands/check-expiration/metrics-file.ts');
  return openMetricsFile(root, textfile);
}
