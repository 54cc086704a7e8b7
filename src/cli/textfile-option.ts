import type { Option } from 'commander';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { MetricsFile } from './metrics-file.ts';
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

/** @throws KubepkiError where it could not be written, before anything is shown */
export async function openMetrics(
  root: FileSystemRoot,
  { textfile }: TextfileOption,
): Promise<MetricsFile | undefined> {
  if (textfile === undefined) return undefined;
  const { openMetricsFile } = await import('./metrics-file.ts');
  return openMetricsFile(root, textfile);
}
