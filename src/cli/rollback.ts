import { certificates } from '../catalog/catalog.ts';
import { dryRunLines } from '../render/dry-run.ts';
import { requireSafeTargets } from '../storage/safe-targets.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { planRollback, type RollbackPlan } from './plan-rollback.ts';
import { makeChange, underLock, type LockOptions } from './session.ts';
import { noteRestarts } from './restarts.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting, stateOf } from './waiting.ts';

export interface RollbackOptions extends NodeOptions, LockOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

/** @param id undefined: the newest backup */
export async function rollBackChange(
  id: string | undefined,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const node = await openNode(options, terminal);
  const force = options.force === true;
  if (options.dryRun === true) {
    noteWaiting(node, terminal);
    terminal.result(dryRun(planRollback(node, stateOf(node), { id, now: new Date(), force }), node));
    return exitCodes.done;
  }
  return underLock(node, options, terminal, async (state) => {
    const now = new Date();
    const { backup, change } = planRollback(node, state, { id, now, force });
    const before = `before ${backup.time} (${backup.id})`;
    if (change.changes.length === 0) {
      terminal.result(`nothing to roll back: every file is as it was ${before}\n`);
      return exitCodes.done;
    }
    const made = await makeChange(state, change, { keepBackups: options.keepBackups, now, terminal });
    if (made.kind === 'interrupted') return made.code;
    terminal.result(`rolled back: ${String(change.changes.length)} files are as they were ${before}\n`);
    const names = backup.certificates.map(({ name }) => name);
    noteRestarts(
      certificates.filter(({ name }) => names.includes(name)),
      terminal,
    );
    return exitCodes.done;
  });
}

function dryRun({ change }: RollbackPlan, { layout }: Parameters<typeof stateOf>[0]): string {
  const targets = change.changes.map(({ target }) => target);
  requireSafeTargets(layout.root, targets);
  const date = (facts: { readonly notAfter: string } | undefined): Date | undefined =>
    facts === undefined ? undefined : new Date(facts.notAfter);
  return dryRunLines(
    change.certificates.map(({ name, old, new: next }) => ({
      name,
      oldNotAfter: date(old),
      newNotAfter: date(next),
      files: [],
    })),
    change.changes.map(({ target, after }) =>
      after === undefined ? `${target.path} (removed)` : target.path,
    ),
  );
}
