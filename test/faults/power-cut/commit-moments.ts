import type { FileOperation } from './file-operation.ts';

/**
 * How many operations a run takes until a journal has its name: the first says `preparing`, the second `committed`.
 * @throws Error when the run did not come to this
 */
export function journalNamed(
  operations: readonly FileOperation[],
  status: 'preparing' | 'committed',
): number {
  const renames = operations.flatMap((operation, index) =>
    operation.kind === 'rename' && operation.to.endsWith('/journal.json') ? [index + 1] : [],
  );
  const named = renames[status === 'preparing' ? 0 : 1];
  if (named === undefined) throw new Error(`no journal ${status}`);
  return named;
}

/** The point of no return: the run's second journal is on disk, and with it the change is made. */
export function committed(operations: readonly FileOperation[]): number {
  return stateFlushed(operations, journalNamed(operations, 'committed'));
}

/** How many operations it takes until what is in the state directory after the first `from` is on disk. */
export function stateFlushed(operations: readonly FileOperation[], from = 0): number {
  const flush = operations.findIndex(
    ({ kind, ...operation }, index) =>
      index >= from && kind === 'fsync' && 'path' in operation && operation.path.endsWith('/.kubepki'),
  );
  if (flush === -1) throw new Error('the state directory is never flushed');
  return flush + 1;
}
