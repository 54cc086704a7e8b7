import { join } from 'node:path';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { tokenKeyFiles } from '../../catalog/init-order.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
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
import { noteKubelet } from '../../change/notes.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { backupBefore } from './find-backup.ts';
import { openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { planRollback, type RollbackPlan, type RollbackWishes } from './plan-rollback.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface RollbackOptions extends ChangeFlags, Typed<'kubeconfig'> {
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
  const decided = async ({ state }: Way): Promise<PlannedRun> => {
    const now = new Date();
    const plan = planRollback(node, state, { id, now, force, ofRotation: options.ofRotation });
    const asked = force ? nothingAsked : await askOtherNodes(node, plan, options);
    const { backup, change, warnings } = plan;
    const { changes, certificates: records } = change;
    return {
      now,
      errors: asked.errors,
      beforehand: () => {
        for (const warning of [...warnings, ...asked.warnings]) terminal.warning(warning);
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
      remarks: ({ backup: made, dryRun }) => {
        if (options.ofRotation !== undefined && !dryRun && isOfKubelet(plan, node)) {
          noteKubelet('what has come back', terminal);
        }
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

/** The kubelet reads them when it starts. */
function isOfKubelet({ change: { changes } }: RollbackPlan, { layout }: Node): boolean {
  const { certDir, kubeconfigDir } = layout;
  const read = [join(certDir, 'ca.crt'), join(kubeconfigDir, kubeletKubeconfig.name)];
  return changes.some(({ target: { path } }) => read.includes(path));
}

interface OtherNodes {
  readonly errors: readonly KubepkiError[];
  readonly warnings: readonly string[];
}

const nothingAsked: OtherNodes = { errors: [], warnings: [] };

/**
 * A stage of the service-account key goes back only where tokens stay good on the other nodes. Where that cannot be told, the old key may
 * sign again: the API servers know it until the very last stage.
 */
async function askOtherNodes(
  node: Node,
  { stageBack }: RollbackPlan,
  options: RollbackOptions,
): Promise<OtherNodes> {
  if (stageBack === undefined || (stageBack.signsAgain === undefined && stageBack.dropped.length === 0))
    return nothingAsked;
  const [{ askTokenKeys }, { wayBackConditions }] = await Promise.all([
    import('../../node/ask-token-keys.ts'),
    import('../../operations/token-key/way-back.ts'),
  ]);
  const conditions = wayBackConditions(stageBack, await askTokenKeys(node, options));
  const isWrong = ({ name, state }: (typeof conditions)[number]): boolean =>
    state === 'unmet' || (state === 'unknown' && name === 'signers');
  return {
    errors: conditions.filter(isWrong).map(
      ({ name, says, hint = '' }) =>
        new KubepkiError('in-use', `${name}: ${says}`, {
          hint: `${hint === '' ? '' : `${hint}; `}or, if you know better: --force`,
        }),
    ),
    warnings: conditions
      .filter((one) => one.state === 'unknown' && !isWrong(one))
      .map(({ says }) => `not known is whether every API server knows the key that signs again: ${says}`),
  };
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
  return all.flatMap((one) =>
    'reason' in one || isTokenKey(one) ? [] : [{ name: one.name, notAfter: one.new?.notAfter }],
  );
}

/** A key without a certificate has no end. */
function isTokenKey({ name }: { readonly name: string }): boolean {
  return tokenKeyFiles.some((file) => file.name === name);
}

function plannedText(plan: RollbackPlan, report: ChangeReport, terminal: Terminal): Promise<string> {
  const { changes } = plan.change;
  const date = (facts: { readonly notAfter: string } | undefined): Date | undefined =>
    facts === undefined ? undefined : new Date(facts.notAfter);
  const planned = report.certificates.flatMap((one) =>
    'reason' in one || isTokenKey(one)
      ? []
      : [{ name: one.name, oldNotAfter: date(one.old), newNotAfter: date(one.new), files: [] }],
  );
  const files = changes.map(({ target, after }) =>
    after === undefined ? `${target.path} (removed)` : target.path,
  );
  return dryRunText(planned, terminal, { files, heading: plannedRollback(broughtBack(plan)) });
}
