import { KubepkiError } from '../errors/error.ts';
import { restartLine } from '../render/restart.ts';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { restartComponents, type RestartSummary } from './restart-components.ts';
import { restartCommand } from './restart-command.ts';
import type { RestartFlags } from './restart-options.ts';
import { parseComponents, planRestartRun, type RestartPlan } from './restart-plan.ts';
import { termsFor } from './restart-terms.ts';
import { underLock, type LockOptions } from './session.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting } from './waiting.ts';

export interface RestartCommandOptions extends NodeOptions, LockOptions, RestartFlags {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export async function restart(
  names: readonly string[],
  options: RestartCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const components = parseComponents(names);
  const node = await openNode(options, terminal);
  if (options.dryRun === true) {
    await noteWaiting(node, terminal);
    const terms = termsFor(node, components, options, terminal);
    const plan = planRestartRun(terms.node, components, terms.options);
    if (refuse(plan, terminal)) return exitCodes.error;
    showPlan(plan, terms.node.layout.manifestsDir, terminal);
    return exitCodes.done;
  }
  return underLock(node, options, terminal, async (state) => {
    const terms = termsFor(node, components, options, terminal);
    const plan = planRestartRun(terms.node, components, terms.options);
    if (refuse(plan, terminal)) return exitCodes.error;
    const summary = await restartComponents(plan, { ...terms, state, terminal });
    return sayFailure(summary, terms.options, terminal);
  });
}

/** Says what stopped a sequence. */
export function sayFailure(
  { restarted, left, failure }: RestartSummary,
  options: NodeOptions & RestartFlags,
  terminal: Terminal,
): ExitCode {
  if (failure === undefined) return exitCodes.done;
  terminal.error(failure);
  terminal.hint(`then: ${restartCommand(left, options) ?? ''}`);
  // Refused before anything was stopped: nothing has changed.
  const touched = restarted.length > 0 || failure.code === 'not-restarted';
  return touched && exitCodeOf(failure.code) === exitCodes.error
    ? exitCodes.changedButNotFinished
    : exitCodeOf(failure.code);
}

/** Before anything is touched. */
export function refuse({ planned }: RestartPlan, terminal: Terminal): boolean {
  const errors = planned.flatMap((one) => (one.status === 'refused' ? [one.error] : []));
  for (const error of errors) terminal.error(error);
  return errors.length > 0;
}

function showPlan({ planned }: RestartPlan, directory: string, terminal: Terminal): void {
  for (const one of planned) {
    if (one.status === 'restartable') {
      terminal.result(restartLine({ status: 'would-restart', component: one.restart.component }));
    } else if (one.status === 'no-manifest') {
      terminal.result(restartLine({ status: 'no-manifest', component: one.component, directory }));
    } else {
      throw new KubepkiError('bad-manifest', one.error.message, { file: one.error.file });
    }
  }
}
