import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { isForeign, isOpenToOthers } from './owner.ts';

/**
 * Whether only root and ourselves can put another file in the place of one in this directory, or make its
 * path lead elsewhere.
 */
export function isOutOfReach(directory: string): boolean {
  const stats = lstatSync(directory);
  // Who may change a symlink is a matter of its owner and of the directory that it is in.
  const isClosed = !isForeign(stats.uid) && (stats.isSymbolicLink() || !isOpenToOthers(stats));
  return isClosed && (directory === '/' || isOutOfReach(dirname(directory)));
}

/** Whether another user can put another file at that place, by the path that was typed or by the one that it leads to. */
export function isReachedByOthers({
  path,
  resolvedPath,
}: {
  readonly path: string;
  readonly resolvedPath: string;
}): boolean {
  return [path, resolvedPath].some((one) => {
    try {
      return !isOutOfReach(dirname(one));
    } catch {
      // What cannot be looked at is not known to be out of reach.
      return true;
    }
  });
}
