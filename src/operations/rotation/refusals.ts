import type { Finding } from './conditions.ts';

/** What an API server has counted since it started; `why`: it could not be asked. */
type Look =
  { readonly count: number | undefined; readonly startedAt: string | undefined } | { readonly why: string };

/** The same API server, looked at twice. */
export interface Looks {
  readonly server: string;
  readonly first: Look;
  readonly second: Look;
}

/** Which API servers have refused clients that they did not believe, between the two looks. */
export function refusals(all: readonly Looks[], watchedMs: number): Finding[] {
  const within = `within ${String(watchedMs / 1000)} s`;
  if (all.length === 0) return [{ kind: 'unmeasured', reason: 'no API server of the cluster is known' }];
  return all.flatMap(({ server, first, second }): Finding[] => {
    const unmeasured = (why: string): Finding[] => [
      { kind: 'unmeasured', reason: `the API server at ${server}: ${why}` },
    ];
    if ('why' in first) return unmeasured(first.why);
    if ('why' in second) return unmeasured(second.why);
    if (first.count === undefined || second.count === undefined)
      return unmeasured('its metrics do not count whom it refuses');
    if (first.startedAt !== second.startedAt || second.count < first.count)
      return unmeasured('it was restarted meanwhile');
    const refused = second.count - first.count;
    const requests = refused === 1 ? 'a request' : `${String(refused)} requests`;
    return refused === 0
      ? []
      : [
          {
            kind: 'unmet',
            reason: `the API server at ${server} has refused ${requests} ${within} (401); its log says of each why`,
          },
        ];
  });
}
