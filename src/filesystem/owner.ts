import { geteuid } from 'node:process';
import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Whether a file's owner is neither root nor the user who runs this program: these two could do themselves what the program
 * does for them, and no other user could.
 * @param uid the file's owner
 */
export function isForeign(uid: number): boolean {
  return uid !== 0 && uid !== geteuid?.();
}

const groupMayWrite = 0o020;
const othersMayWrite = 0o002;
const sticky = 0o1000;

/**
 * Whether users beside its owner may put another file in the place of one in this directory. In a sticky directory they may not. A
 * group that has its owner's number, or root's, is taken for that user's alone, as most distributions make groups.
 */
export function isOpenToOthers({ mode, uid, gid }: { mode: number; uid: number; gid: number }): boolean {
  if ((mode & sticky) !== 0) return false;
  const isOfAGroup = gid !== 0 && gid !== uid;
  return (mode & (othersMayWrite | (isOfAGroup ? groupMayWrite : 0))) !== 0;
}

/**
 * Whether only root and ourselves can put another file in the place of one in this directory, or make its
 * path lead elsewhere.
 */
export function isOutOfReach(directory: string): boolean {
  const stats = lstatSync(directory);
  // A symlink's mode says nothing: its owner and the directory that it is in decide who may change it.
  const isClosed = !isForeign(stats.uid) && (stats.isSymbolicLink() || !isOpenToOthers(stats));
  return isClosed && (directory === '/' || isOutOfReach(dirname(directory)));
}

/** Whether another user can put another file at that place, by the path that was typed or by the one that it leads to. */
export function isReachedByOthers(file: { readonly path: string; readonly resolvedPath: string }): boolean {
  return [file.path, file.resolvedPath].some((one) => {
    try {
      return !isOutOfReach(dirname(one));
    } catch {
      // A path that cannot be looked at is not known to be out of reach.
      return true;
    }
  });
}
