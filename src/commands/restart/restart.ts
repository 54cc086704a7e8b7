import { KubepkiError } from '../../errors/error.ts';
import { restartLine } from '../../render/change/restart.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { restartComponents, sayFailure } from '../../change/restart/restart-components.ts';
import type { LeaseFlags } from '../../change/restart/one-at-a-time.ts';
import type { RestartFlags, Typed } from '../../flags/table.ts';
import {
  parseComponents,
  planRestartRun,
  type RestartPlan,
  refuse,
} from '../../change/restart/restart-plan.ts';
import { termsFor } from '../../change/restart/restart-terms.ts';
import { underLock } from '../../change/session.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { noteWaiting } from '../../node/waiting.ts';

export interface RestartCommandOptions
  extends NodeOptions, RestartFlags, LeaseFlags, Typed<'force' | 'dryRun' | 'lockTimeout'> {}

export async function restart(
  names: readonly string[],
  options: RestartCommandOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const components = parseComponents(names);
  const node = openNode(options, await readConfiguration(options, terminal));
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
    return sayFailure(summary, terms.node, terms.options, terminal);
  });
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
