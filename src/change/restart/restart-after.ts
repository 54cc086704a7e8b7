import { KubepkiError } from '../../errors/error.ts';
import { exitCodes } from '../../terminal/exit-code.ts';
import type { Node, NodeOptions } from '../../node/node-options.ts';
import type { restartAfterFlags, Typed } from '../../flags/table.ts';
import type { Followed } from '../../operations/change/run-end.ts';
import { componentsOf, pendingComponents } from './pending.ts';
import { restartComponents, sayFailure } from './restart-components.ts';
import { planRestartRun, refuse } from './restart-plan.ts';
import { termsFor } from './restart-terms.ts';
import { underLock } from '../session.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { stateOf } from '../../node/waiting.ts';

/** Of a command that may restart what it has changed. */
export interface RestartAfterOptions
  extends NodeOptions, Typed<(typeof restartAfterFlags)[number] | 'lockTimeout' | 'kubeconfig'> {}

/**
 * Before the change: what uses these certificates must be such that it can be restarted.
 * @throws KubepkiError where a manifest cannot be used
 */
export function requireRestartable(node: Node, names: readonly string[], options: RestartAfterOptions): void {
  if (options.restart !== true) return;
  const components = componentsOf(names);
  if (components.length === 0) return;
  // They are restarted together with what an earlier run has left, and so by its terms.
  const pending = pendingComponents(stateOf(node));
  const terms = termsFor(node, [...components, ...pending], options);
  const { planned } = planRestartRun(terms.node, components, terms.options);
  for (const one of planned) if (one.status === 'refused') throw one.error;
}

/**
 * After the change: restarts what it has left word of, and what an earlier run has and could not restart.
 * @returns how that went; the change stands in any case
 */
export async function restartAfter(
  node: Node,
  options: RestartAfterOptions & Typed<'output'>,
  terminal: Terminal,
): Promise<Followed> {
  if (pendingComponents(stateOf(node)).length === 0) return 'well';
  // One that came during the change has waited for its end; the next run restarts what this one does not.
  if ((await terminal.interruptions.duringHold()) !== undefined) return 'well';
  terminal.interruptions.endHold();
  try {
    return await underLock(node, options, terminal, async (state) => {
      const components = pendingComponents(state);
      const terms = termsFor(node, components, options, terminal);
      const plan = planRestartRun(terms.node, components, terms.options);
      if (refuse(plan, terminal)) return 'failed';
      const run = { ...terms, state, terminal: besideResult(options, terminal) };
      const summary = await restartComponents(plan, run);
      const code = sayFailure(summary, terms.node, terms.options, terminal);
      if (code === exitCodes.done) return 'well';
      return code === exitCodes.unfinished ? 'unfinished' : 'failed';
    });
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.error(error);
    return error.code === 'unfinished' ? 'unfinished' : 'failed';
  }
}

/** A document stays alone on stdout. */
function besideResult({ output }: Typed<'output'>, terminal: Terminal): Terminal {
  if (output === 'text') return terminal;
  return {
    ...terminal,
    result: (text) => {
      terminal.note(text.trimEnd());
    },
  };
}
