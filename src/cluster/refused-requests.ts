import type { Ask } from './api.ts';
import { readMetrics } from './metrics.ts';

/** What a kube-apiserver has counted since it started. */
export interface RefusedRequests {
  /** Those of a client that it did not believe: 401. undefined: it does not count them. */
  readonly count: number | undefined;
  /** As it is written there: another one is another process. */
  readonly startedAt: string | undefined;
}

/**
 * kube-apiserver counts each request by what became of finding out who asks (apiserver, pkg/endpoints/filters/metrics.go): `error` is a
 * certificate of a CA that it does not trust, one that has expired, or a token that is not valid. `apiserver_request_total` counts none of
 * these, as it begins behind that.
 * @throws ClusterFailure
 */
export async function readRefusedRequests(ask: Ask): Promise<RefusedRequests> {
  const metrics = await readMetrics(ask);
  const counted = (result: string): string | undefined =>
    new RegExp(`^authentication_attempts\\{result="${result}"\\} (\\S+)`, 'm').exec(metrics)?.[1];
  // A result that there never was is not listed.
  const isCounting = counted('success') !== undefined;
  const count = Number(counted('error') ?? '0');
  return {
    count: isCounting && Number.isFinite(count) ? count : undefined,
    startedAt: /^process_start_time_seconds (\S+)/m.exec(metrics)?.[1],
  };
}
