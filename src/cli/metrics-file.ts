import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { prometheusText, type NodeMetrics, type RenewRuns } from '../render/prometheus.ts';
import { openTextfile, writeTextfile } from '../storage/textfile.ts';
import { knownRuns, metricsOf } from './textfile.ts';

/** What `check-expiration --textfile` writes to. */
export interface MetricsFile {
  /** What it says of `renew`; undefined: it cannot be read. */
  readonly runs: RenewRuns | undefined;
  readonly of: typeof metricsOf;
  /** @returns why it could not be written: what was found out is shown all the same */
  readonly write: (nodes: readonly NodeMetrics[]) => KubepkiError | undefined;
}

/** Never throws for a file that cannot be there: `write` says so. */
export function openMetricsFile(root: FileSystemRoot, path: string): MetricsFile {
  const opened = attempt(() => openTextfile(root, path));
  if (opened instanceof KubepkiError) return { runs: undefined, of: metricsOf, write: () => opened };
  const runs = knownRuns(opened);
  return {
    runs,
    of: metricsOf,
    write: (nodes) => {
      const failed = attempt(() => {
        writeTextfile(opened, prometheusText(nodes, runs));
      });
      return failed instanceof KubepkiError ? failed : undefined;
    },
  };
}

function attempt<T>(run: () => T): T | KubepkiError {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return error;
  }
}
