import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { kubepkiCommand } from '../support/kubepki.ts';

/**
 * Of the renames of a change 1 and 2 are those of the journal and the journal committed; then come the files,
 * in the catalog's order, each key before its certificate.
 */
export const renamesBeforeFiles = 2;

/**
 * Runs the real command and kills it when it is about to put the next file in place.
 * @param files how many are new by then; the journal is committed
 */
export function killedAfter(
  strace: string,
  files: number,
  args: readonly string[],
  { cwd }: { readonly cwd?: string } = {},
): void {
  const when = String(renamesBeforeFiles + files + 1);
  const { signal } = spawnSync(
    strace,
    [
      ...['-o', '/dev/null', '-e', 'trace=rename', '-e', `inject=rename:signal=SIGKILL:when=${when}`],
      ...[...kubepkiCommand, ...args],
    ],
    { stdio: 'ignore', cwd },
  );
  assert.equal(signal, 'SIGKILL', 'it was to be killed');
}
