import * as z from 'zod';
import type { Ask } from './api.ts';

/** The metrics of a large cluster's API server: some megabytes. */
const mostMetrics = 128 * 1024 * 1024;

/**
 * The metrics of the API server that is asked, in Prometheus' text format.
 * @throws ClusterFailure
 */
export function readMetrics(ask: Ask): Promise<string> {
  return ask({
    path: '/metrics',
    accept: 'text/plain',
    isText: true,
    answer: { what: 'metrics', schema: z.string() },
    mostBytes: mostMetrics,
  });
}
