import { KubepkiError } from '../../errors/error.ts';
import type { FileSystemRoot } from '../../filesystem/root.ts';
import { prometheusTexts, type NodeMetrics, type RenewRuns } from '../../render/expiration/prometheus.ts';
import { openTextfile, writeTextfile } from '../../storage/public-file.ts';
import { knownRuns, metricsOf, unreadableNode } from '../../change/textfile.ts';

/** What `check-expiration --textfile` writes to. */
export interface MetricsFile {
  /** What it says of `renew`; undefined: it cannot be read. */
  readonly runs: RenewRuns | undefined;
  readonly of: typeof metricsOf;
  readonly ofUnreadable: typeof unreadableNode;
  /** @returns why it could not be written: what was found out is shown all the same */
  readonly write: (nodes: readonly NodeMetrics[]) => KubepkiError | undefined;
}

/** Never throws for a file that cannot be there: `write` says so. */
export function openMetricsFile(root: FileSystemRoot, path: string): MetricsFile {
  const opened = attempt(() => openTextfile(root, path));
  const render = { of: metricsOf, ofUnreadable: unreadableNode };
  if (opened instanceof KubepkiError) return { ...render, runs: undefined, write: () => opened };
  const runs = knownRuns(opened);
  return {
    ...render,
    runs,
    write: (nodes) => {
      const failed = attempt(() => {
        writeTextfile(opened, prometheusTexts(nodes, runs));
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
