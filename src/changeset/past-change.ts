/** Where a change stands among all those of which there are backups. */
export interface ChangePlace {
  readonly id: string;
  /** 1 for the first change, one more for each, independent of the clock. */
  readonly sequence: number;
}

/** A change of which there is a backup. */
export interface PastChange extends ChangePlace {
  /** What a rollback brought back: from then on the files are as they were before that change. null: it is no rollback. */
  readonly restored: ChangePlace | null;
}

/** The name decides only where the counting has come to its end. */
export function isBefore(one: ChangePlace, other: ChangePlace): boolean {
  return one.sequence === other.sequence ? one.id < other.id : one.sequence < other.sequence;
}
