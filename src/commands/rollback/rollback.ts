import type { ChangeReport } from '../../operations/change/change-report.ts';
import { rollbackReport } from '../../operations/rollback/rollback-report.ts';
import {
  nothingToRollBack,
  plannedRollback,
  rollbackLines,
  type BroughtBack,
  type RolledBack,
} from '../../render/change/rollback.ts';
import { commandHere, type StateDirectory } from '../../storage/state-directory.ts';
import { attempt } from '../../change/attempt.ts';
import { conclude, type Conclusion } from '../../change/conclude.ts';
import type { DeployHookOption } from '../../flags/deploy-hook-option.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { backupBefore } from './find-backup.ts';
import { openNode, type Node } from '../../node/node-options.ts';
import type { OutputOption } from '../../flags/output-option.ts';
import { planRollback, type RollbackPlan } from './plan-rollback.ts';
import { requireRestartable, restartAfter } from '../../change/restart/restart-after.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { stateOf } from '../../node/waiting.ts';
import type { RestartAfterOptions } from '../../flags/restart-options.ts';

export interface RollbackOptions extends RestartAfterOptions, OutputOption, DeployHookOption {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly keepBackups?: number;
}

/** @param id or its beginning, or the number; undefined: the newest that is further back */
export async function rollBackChange(
  id: string | undefined,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const node = await openNode(options, terminal);
  const conclusion = await rollBackTo(node, id, options, terminal);
  const restart = (): ReturnType<typeof restartAfter> => restartAfter(node, options, terminal);
  return conclude(conclusion, options, terminal, restart, stateOf(node));
}

async function rollBackTo(
  node: Node,
  id: string | undefined,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const force = options.force === true;
  return attempt(node, options, terminal, async (way): Promise<Conclusion> => {
    const now = new Date();
    const plan = planRollback(node, way.state, { id, now, force });
    const { backup, change } = plan;
    const names = backup.certificates.map(({ name }) => name);
    requireRestartable(node, names, options);
    for (const warning of plan.warnings) terminal.warning(warning);
    const reported = (name: string | undefined): ChangeReport =>
      reportOf(plan, { dryRun: false, backup: name });
    const restores = { id: backup.id, sequence: backup.sequence };
    const wanted = { ...options, restores, now, terminal, report: reported };
    const made = await way.make(change, wanted);
    if (made.kind === 'interrupted') return made;
    const remarks = (): void => {
      hintFurther(way.state, id, plan, terminal);
    };
    if (made.kind === 'rehearsed') {
      const report = reportOf(plan, { dryRun: true, backup: undefined });
      const text = await plannedText(plan, report, terminal);
      return { kind: 'finished', code: exitCodes.done, report, text, remarks };
    }
    const report = reported(made.backup);
    const finished = { kind: 'finished', code: exitCodes.done, report } as const;
    if (made.backup === undefined) {
      return { ...finished, text: nothingToRollBack(broughtBack(plan)), remarks };
    }
    const redo = commandHere(way.state, `rollback ${made.backup}`);
    return {
      ...finished,
      text: rollbackLines(broughtBack(plan), endsOf(report)),
      remarks: () => {
        terminal.hint(`to redo what was taken back: ${redo}`);
      },
    };
  });
}

/** Where a rollback without a name finds nothing to do: the files were put back by other means. */
function hintFurther(
  state: StateDirectory,
  id: string | undefined,
  { backup, change }: RollbackPlan,
  terminal: Terminal,
): void {
  if (id !== undefined || change.changes.length > 0) return;
  const further = backupBefore(state, backup);
  if (further === undefined) return;
  terminal.hint(`to go further back: ${commandHere(state, `rollback ${further.id}`)}`);
}

function broughtBack({ backup, change }: RollbackPlan): BroughtBack {
  const { id, time, command } = backup;
  return { id, time, command, files: change.changes.length };
}

/** Of what comes back: undefined is a certificate that was not there. */
function endsOf({ certificates: all }: ChangeReport): readonly RolledBack[] {
  return all.flatMap((one) => ('reason' in one ? [] : [{ name: one.name, notAfter: one.new?.notAfter }]));
}

function reportOf(
  { backup, change, owners }: RollbackPlan,
  made: { readonly dryRun: boolean; readonly backup: string | undefined },
): ChangeReport {
  const { changes, certificates: records } = change;
  return rollbackReport({ restored: backup.id, records, changes, owners }, made);
}

function plannedText(plan: RollbackPlan, report: ChangeReport, terminal: Terminal): Promise<string> {
  const { changes } = plan.change;
  if (changes.length === 0) return Promise.resolve(nothingToRollBack(broughtBack(plan)));
  const date = (facts: { readonly notAfter: string } | undefined): Date | undefined =>
    facts === undefined ? undefined : new Date(facts.notAfter);
  const planned = report.certificates.flatMap((one) =>
    'reason' in one
      ? []
      : [{ name: one.name, oldNotAfter: date(one.old), newNotAfter: date(one.new), files: [] }],
  );
  const files = changes.map(({ target, after }) =>
    after === undefined ? `${target.path} (removed)` : target.path,
  );
  return dryRunText(planned, terminal, { files, heading: plannedRollback(broughtBack(plan)) });
}
