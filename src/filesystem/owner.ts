import { geteuid } from 'node:process';

/**
 * Whether a file's owner is neither root nor the user who runs this program: these two could do themselves what the program
 * does for them, and nobody else could.
 * @param uid the file's owner
 */
export function isForeign(uid: number): boolean {
  return uid !== 0 && uid !== geteuid?.();
}
