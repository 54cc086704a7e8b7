/**
 * Power cuts. A killed process leaves the page cache behind, a power cut only what was flushed: so each run is traced,
 * replayed on a model of a disk, and stopped at every moment with every kind of disk that may be found afterwards.
 */
import { describe, test } from 'node:test';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { snapshot } from '../../support/tree.ts';
import { completeBackups } from './after-power-cut.ts';
import { committed } from './commit-moments.ts';
import { requireSurvival } from './power-cut-survival.ts';
import { booted } from './running-system.ts';
import { doneInProcess as done } from '../../support/in-process.ts';

describe('a power cut', { concurrency: false }, () => {
  test('during a renewal: the set is all old or all new, and what was said is so', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = quickTree(t);
    const old = snapshot(tree.directory);
    const run = { args: ['renew', 'all'], decided: committed, announcement: / renewed$/m };
    await requireSurvival(t, strace, booted(tree), run, () => ({
      old,
      new: snapshot(tree.directory),
      decided: 'new',
      backups: [],
    }));
  });

  test('during a rollback, which removes an older backup because it is told to', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const tree = quickTree(t);
    await done(tree, 'renew', 'all');
    await done(tree, 'renew', 'all');
    const old = snapshot(tree.directory);
    const backups = await completeBackups(tree);
    // Fixtures do not live for ever.
    const args = ['rollback', '--force', '--keep-backups', '1'];
    await requireSurvival(
      t,
      strace,
      booted(tree),
      { args, decided: committed, announcement: /^rolled back: / },
      () => ({
        old,
        new: snapshot(tree.directory),
        decided: 'new',
        backups,
      }),
    );
  });
});
