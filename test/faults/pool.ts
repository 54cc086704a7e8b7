import { availableParallelism } from 'node:os';

/** Runs a task for each item, as many at a time as there are cores; the first failure ends it. */
export async function forEachParallel<T>(
  items: readonly T[],
  task: (item: T) => Promise<void>,
): Promise<void> {
  await forEachOn(Array.from({ length: availableParallelism() }), items, (_, item) => task(item));
}

/** The same, one at a time on each of the lanes: for tasks that need something of their own. */
export async function forEachOn<L, T>(
  lanes: readonly L[],
  items: readonly T[],
  task: (lane: L, item: T) => Promise<void>,
): Promise<void> {
  const pending = [...items];
  const ends = await Promise.allSettled(
    lanes.map(async (lane) => {
      try {
        for (let item = pending.shift(); item !== undefined; item = pending.shift()) await task(lane, item);
      } catch (cause) {
        pending.length = 0;
        throw cause;
      }
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
