import { availableParallelism } from 'node:os';

/** Runs a task for each item, as many at a time as there are cores; the first failure ends it. */
export async function forEachParallel<T>(
  items: readonly T[],
  task: (item: T) => Promise<void>,
): Promise<void> {
  const pending = [...items];
  const worker = async (): Promise<void> => {
    for (let item = pending.shift(); item !== undefined; item = pending.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
