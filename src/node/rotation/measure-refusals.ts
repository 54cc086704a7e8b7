import { accessTo, apiServerPlaces, type Place } from '../../cluster/api-servers.ts';
import { withApi } from '../../cluster/api.ts';
import type { ApiAccess } from '../../cluster/connection.ts';
import { readServingNodes } from '../../cluster/pki-objects.ts';
import { readRefusedRequests, type RefusedRequests } from '../../cluster/refused-requests.ts';
import { readApiServers } from '../../cluster/surroundings.ts';
import { KubepkiError } from '../../errors/error.ts';
import { refusals, type Looks } from '../../operations/rotation/refusals.ts';
import type { Finding } from '../../operations/rotation/conditions.ts';
import type { MeasureOptions } from './measure-cluster.ts';
import { requireNodeAccess } from '../cluster-access.ts';
import type { Node } from '../node-options.ts';

const answersMs = 10_000;

interface Watching {
  /** Between the two looks. */
  readonly watchedMs: number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/**
 * Looks twice at how many requests each API server has refused. Our own probes are counted there too, so it comes before them.
 * Never throws for what it cannot be asked.
 */
export async function measureRefusals(
  { layout }: Node,
  { kubeconfig, offline }: MeasureOptions,
  { watchedMs, sleep }: Watching,
): Promise<readonly Finding[]> {
  if (offline === true) return [{ kind: 'unmeasured', reason: 'no API server was asked (--offline)' }];
  const signal = AbortSignal.timeout(watchedMs + 3 * answersMs);
  try {
    const access = requireNodeAccess(layout, kubeconfig);
    const places = await withApi(access, signal, async (ask) =>
      apiServerPlaces(...(await Promise.all([readApiServers(ask), readServingNodes(ask)]))),
    );
    const first = await lookAt(places, access);
    await sleep(watchedMs);
    const second = await lookAt(places, access);
    return refusals(
      places.map(({ host, port }, index): Looks => ({
        server: `${host}:${String(port)}`,
        first: first[index] ?? nothing,
        second: second[index] ?? nothing,
      })),
      watchedMs,
    );
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return [{ kind: 'unmeasured', reason: error.oneLine }];
  }
}

const nothing = { why: 'it was not asked' } as const;

function lookAt(places: readonly Place[], access: ApiAccess): Promise<readonly Looks['first'][]> {
  return Promise.all(
    places.map(async (place): Promise<RefusedRequests | { readonly why: string }> => {
      try {
        return await withApi(accessTo(place, access), AbortSignal.timeout(answersMs), readRefusedRequests);
      } catch (error) {
        if (!(error instanceof KubepkiError)) throw error;
        return { why: error.oneLine };
      }
    }),
  );
}
