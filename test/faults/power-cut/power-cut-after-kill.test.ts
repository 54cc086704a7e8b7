/**
 * Two blows: a renewal is killed, and the power fails while the next run cleans up after it. That run sees all that the
 * first one did; the disk knows only what the first one flushed.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { judge } from '../../support/judge.ts';
import { quickTree } from '../../support/node.ts';
import { snapshot, type Snapshot } from '../../support/tree.ts';
import { committed, journalNamed, stateFlushed } from './commit-moments.ts';
import type { FileOperation } from './file-operation.ts';
import { requireSurvival } from './power-cut-survival.ts';
import { afterKill, booted, operationsOf, type RunningSystem } from './running-system.ts';

// What it will do stands in the journal it finds.
const recovery = { args: ['recover'], decided: () => 0, announcement: /^recovered$/m };

interface Renewal {
  /** As it was before the first of the operations. */
  readonly system: RunningSystem;
  readonly operations: readonly FileOperation[];
  readonly old: Snapshot;
  readonly new: Snapshot;
}

async function tracedRenewal(t: TestContext, strace: string): Promise<Renewal> {
  const system = booted(quickTree(t));
  const { directory } = system.tree;
  const old = snapshot(directory);
  const operations = await operationsOf(t, strace, system.tree, ['renew', 'all']);
  return { system, operations, old, new: snapshot(directory) };
}

// A staged file takes five calls, a journal four until it is renamed.
const moments = [
  { when: 'half of the files were staged', after: 'preparing', plus: 42, end: 'old' },
  { when: 'everything was staged and backed up', after: 'committed', plus: -5, end: 'old' },
  { when: 'the journal was committed but not flushed', after: 'committed', plus: 0, end: 'new' },
  { when: 'half of the files were renamed', after: 'committed', plus: 9, end: 'new' },
] as const;

describe('a power cut soon after a kill -9', { concurrency: false }, () => {
  for (const { when, after, plus, end } of moments) {
    test(`when ${when}: during the recovery`, async (t) => {
      const strace = judge(t, 'strace');
      if (strace === undefined) return;
      const { system, operations, ...ends } = await tracedRenewal(t, strace);
      const killed = afterKill(t, system, operations.slice(0, journalNamed(operations, after) + plus));
      // Where the disk may still hold the journal before, that one decides until the recovery has flushed its own.
      const decided = after === 'committed' && plus === 0 ? stateFlushed : recovery.decided;
      const run = { ...recovery, decided };
      await requireSurvival(t, strace, killed, run, () => ({ ...ends, decided: end, backups: [] }));
    });
  }

  test('when half of the files were renamed and one was lost: while it is taken back', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const { system, operations, ...ends } = await tracedRenewal(t, strace);
    const half = journalNamed(operations, 'committed') + 9;
    const { tree } = afterKill(t, system, operations.slice(0, half));
    const staged = [...snapshot(tree.directory).keys()].find((path) => path.includes('.scheduler.conf.'));
    assert.ok(staged !== undefined);
    writeFileSync(join(tree.directory, staged), 'damaged');
    await requireSurvival(t, strace, booted(tree), recovery, () => ({
      ...ends,
      decided: 'old',
      backups: [],
    }));
  });

  test('when nothing but its directory was made: during the next renewal, of one certificate', async (t) => {
    const strace = judge(t, 'strace');
    if (strace === undefined) return;
    const { system, operations, old } = await tracedRenewal(t, strace);
    assert.equal(operations[0]?.kind, 'mkdir');
    const killed = afterKill(t, system, operations.slice(0, 1));
    const next = { args: ['renew', 'apiserver'], decided: committed, announcement: / renewed$/m };
    await requireSurvival(t, strace, killed, next, () => ({
      old,
      new: snapshot(killed.tree.directory),
      decided: 'new',
      backups: [],
    }));
  });
});
