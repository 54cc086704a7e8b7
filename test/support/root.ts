import type { Skippable } from './judge.ts';

/** Whether files can be given away, which only root can. If not, the test is skipped, and `npm test` lists it. */
export function mayChown(t: Skippable): boolean {
  if (process.getuid?.() === 0) return true;
  t.skip('only root can give files to somebody else');
  return false;
}
