import type { FileSystemRoot } from '../filesystem/root.ts';
import { prometheusText, type NodeMetrics, type RenewRuns } from '../render/prometheus.ts';
import { openTextfile, writeTextfile } from '../storage/textfile.ts';
import { knownRuns, metricsOf } from './textfile.ts';

/** What `check-expiration --textfile` writes to. */
export interface MetricsFile {
  /** What it says of `renew`. */
  readonly runs: RenewRuns;
  readonly of: typeof metricsOf;
  readonly write: (nodes: readonly NodeMetrics[]) => void;
}

/** @throws KubepkiError before anything is shown, where it could not be written */
export function openMetricsFile(root: FileSystemRoot, path: string): MetricsFile {
  const textfile = openTextfile(root, path);
  const runs = knownRuns(textfile);
  return {
    runs,
    of: metricsOf,
    write: (nodes) => {
      writeTextfile(textfile, prometheusText(nodes, runs));
    },
  };
}
