import { isBefore, type ChangePlace, type PastChange } from '../../changeset/past-change.ts';

/** The backups of one directory. */
interface PastChanges<T extends PastChange> {
  /** The newest first. */
  readonly backups: readonly T[];
  /** Backups that cannot be read. No more is known of their place than their name, which begins with the time. */
  readonly damaged: readonly { readonly id: string }[];
}

type StepBack<T> =
  | { readonly kind: 'found'; readonly backup: T }
  /** The damaged backup may be the one that is looked for, or tell where to go on. */
  | { readonly kind: 'damaged'; readonly id: string; readonly reached: ChangePlace | undefined }
  /** `reached`: the backup that the last rollback brought back; undefined: there are no backups. */
  | { readonly kind: 'none'; readonly reached: ChangePlace | undefined };

/**
 * The backup that a rollback without a name brings back: it goes back, never forward. Where the newest change is a rollback,
 * the next step is older than the backup that it brought back.
 * @param reached only an older backup counts; undefined: every one
 */
export function stepBack<T extends PastChange>(
  { backups, damaged }: PastChanges<T>,
  reached?: ChangePlace,
): StepBack<T> {
  const next = backups.find((backup) => reached === undefined || isBefore(backup, reached));
  const unread = damaged.find(
    ({ id }) => (reached === undefined || id < reached.id) && id > (next?.id ?? ''),
  );
  if (unread !== undefined) return { kind: 'damaged', id: unread.id, reached };
  if (next === undefined) return { kind: 'none', reached };
  if (next.restored === null) return { kind: 'found', backup: next };
  return stepBack({ backups, damaged }, earlier(next, next.restored));
}

/** Each step must lead further back, also where a manifest says otherwise. */
function earlier(one: ChangePlace, other: ChangePlace): ChangePlace {
  return isBefore(one, other) ? one : other;
}

/**
 * The backups that bring back what rollbacks took away, in the order in which to bring them back.
 * @param backups the newest first
 */
export function redoable<T extends PastChange>(backups: readonly T[]): T[] {
  const [newest, ...older] = backups;
  const restored = newest?.restored ?? null;
  if (newest === undefined || restored === null) return [];
  const again = older.find(({ id }) => id === restored.id);
  // The restored backup was a rollback's own: that rollback is undone, and the changes before it count.
  if (again !== undefined && again.restored !== null) {
    return redoable(older.filter((one) => isBefore(one, again)));
  }
  return [newest, ...redoable(older)];
}

/**
 * The backups that a word may mean: a number is a sequence number, any other word the beginning of an ID. A number is never
 * taken for such a beginning: an old number must not lead to another backup that happens to be of the year 2…
 */
export function meantBy<T extends PastChange>(
  { backups, damaged }: PastChanges<T>,
  word: string,
): { readonly backups: readonly T[]; readonly damaged: readonly string[] } {
  if (/^\d*$/.test(word)) {
    return { backups: backups.filter(({ sequence }) => String(sequence) === word), damaged: [] };
  }
  return {
    backups: backups.filter(({ id }) => id.startsWith(word)),
    damaged: damaged.flatMap(({ id }) => (id.startsWith(word) ? [id] : [])),
  };
}
