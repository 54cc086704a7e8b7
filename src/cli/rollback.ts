import type { ChangeReport } from '../operations/change-report.ts';
import { rollbackReport } from '../operations/rollback-report.ts';
import { dryRunLines } from '../render/dry-run.ts';
import { requireSafeTargets } from '../storage/safe-targets.ts';
import { conclude, type Conclusion } from './conclude.ts';
import type { DeployHookOption } from './deploy-hook-option.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type Node } from './node-options.ts';
import type { OutputOption } from './output-option.ts';
import { planRollback, type RollbackPlan } from './plan-rollback.ts';
import { requireRestartable, restartAfter, type RestartAfterOptions } from './restart-after.ts';
import { makeChange, underLock } from './session.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting, stateOf } from './waiting.ts';

export interface RollbackOptions extends RestartAfterOptions, OutputOption, DeployHookOption {
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
  const conclusion = await rollBackTo(node, id, options, terminal);
  return conclude(conclusion, options, terminal, () => restartAfter(node, options, terminal));
}

async function rollBackTo(
  node: Node,
  id: string | undefined,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const force = options.force === true;
  if (options.dryRun === true) {
    await noteWaiting(node, terminal);
    const plan = planRollback(node, stateOf(node), { id, now: new Date(), force });
    return {
      kind: 'finished',
      code: exitCodes.done,
      report: reportOf(plan, { dryRun: true, backup: undefined }),
      text: dryRun(plan, node),
    };
  }
  return underLock(node, options, terminal, async (state): Promise<Conclusion> => {
    const now = new Date();
    const plan = planRollback(node, state, { id, now, force });
    const { backup, change } = plan;
    const names = backup.certificates.map(({ name }) => name);
    requireRestartable(node, names, options);
    const made = await makeChange(state, change, { ...options, takesBack: true, now, terminal });
    if (made.kind === 'interrupted') return made;
    const report = reportOf(plan, { dryRun: false, backup: made.backup });
    const before = `before ${backup.time} (${backup.id})`;
    const count = change.changes.length;
    if (count === 0) {
      const text = `nothing to roll back: every file is as it was ${before}\n`;
      return { kind: 'finished', code: exitCodes.done, report, text };
    }
    return {
      kind: 'finished',
      code: exitCodes.done,
      report,
      text: `rolled back: ${String(count)} files are as they were ${before}\n`,
    };
  });
}

function reportOf(
  { backup, change, owners }: RollbackPlan,
  made: { readonly dryRun: boolean; readonly backup: string | undefined },
): ChangeReport {
  const { changes, certificates: records } = change;
  return rollbackReport({ restored: backup.id, records, changes, owners }, made);
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
