import type { ChangeReport } from '../../operations/change/change-report.ts';
import { rollbackReport } from '../../operations/rollback/rollback.ts';
import {
  nothingToRollBack,
  plannedRollback,
  rollbackLines,
  type BroughtBack,
  type RolledBack,
} from '../../render/change/rollback.ts';
import { commandHere, type StateDirectory } from '../../storage/state-directory.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { backupBefore } from './find-backup.ts';
import { openNode, readConfiguration } from '../../node/node-options.ts';
import { planRollback, type RollbackPlan, type RollbackWishes } from './plan-rollback.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface RollbackOptions extends ChangeFlags {
  readonly force?: boolean;
  readonly ofRotation?: RollbackWishes['ofRotation'];
}

/** @param id or its beginning, or the number; undefined: the newest that is further back */
export async function rollBackChange(
  id: string | undefined,
  options: RollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  const force = options.force === true;
  const decided = ({ state }: Way): PlannedRun => {
    const now = new Date();
    const plan = planRollback(node, state, { id, now, force, ofRotation: options.ofRotation });
    const { backup, change, warnings } = plan;
    const { changes, certificates: records } = change;
    return {
      now,
      errors: [],
      beforehand: () => {
        for (const warning of warnings) terminal.warning(warning);
      },
      names: records.map(({ name }) => name),
      make: () => Promise.resolve(change),
      report: (stage) =>
        rollbackReport({ restored: backup.id, records, changes, owners: plan.owners }, stage),
      text: (report) => {
        if (changes.length === 0) return nothingToRollBack(broughtBack(plan));
        return report.dryRun
          ? plannedText(plan, report, terminal)
          : rollbackLines(broughtBack(plan), endsOf(report));
      },
      remarks: ({ backup: made }) => {
        if (made === undefined) hintFurther(state, id, plan, terminal);
        else if (options.ofRotation === undefined) {
          terminal.hint(`to redo what was taken back: ${commandHere(state, `rollback ${made}`)}`);
        }
      },
      restores: { id: backup.id, sequence: backup.sequence },
    };
  };
  return changeNode(node, decided, options, terminal, { inUse: true });
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

function plannedText(plan: RollbackPlan, report: ChangeReport, terminal: Terminal): Promise<string> {
  const { changes } = plan.change;
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
