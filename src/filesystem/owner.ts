import { geteuid } from 'node:process';

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
 * Whether users beside its owner may put another file in the place of one in this directory. In a sticky one they may not. A
 * group that has its owner's number, or root's, is that user's alone, as most distributions make them.
 */
export function isOpenToOthers({ mode, uid, gid }: { mode: number; uid: number; gid: number }): boolean {
  if ((mode & sticky) !== 0) return false;
  const isOfAGroup = gid !== 0 && gid !== uid;
  return (mode & (othersMayWrite | (isOfAGroup ? groupMayWrite : 0))) !== 0;
}
