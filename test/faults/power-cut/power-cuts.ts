import { imageDigest, type DiskImage } from './disk-image.ts';
import type { DiskModel } from './disk-model.ts';
import { operationName, type FileOperation } from './file-operation.ts';
import { possibleDisks } from './possible-disks.ts';

export interface PowerCut {
  /** When, and what became of what was not flushed. */
  readonly where: string;
  /** The change had passed the point of no return. */
  readonly decided: boolean;
  readonly image: DiskImage;
}

/**
 * Cuts before the first operation and after each. Moments that leave the same disk count once.
 * @param model the disk before; it is where the operations lead afterwards
 * @param decidedAfter how many operations it takes to the point of no return
 */
export function powerCuts(
  model: DiskModel,
  operations: readonly FileOperation[],
  decidedAfter: number,
): PowerCut[] {
  const cuts = new Map<string, PowerCut>();
  const random = seeded(1);
  const cut = (done: number, moment: string): void => {
    const decided = done >= decidedAfter;
    for (const { fate, image } of possibleDisks(model, random)) {
      const key = `${imageDigest(image)} ${String(decided)}`;
      if (!cuts.has(key)) cuts.set(key, { where: `${moment}: ${fate}`, decided, image });
    }
  };
  cut(0, 'before the first operation');
  for (const [index, operation] of operations.entries()) {
    model.apply(operation);
    cut(index + 1, `after operation ${String(index + 1)} (${operationName(operation)})`);
  }
  return [...cuts.values()];
}

/** The same numbers in every run (mulberry32): a cut that fails can be looked at again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
