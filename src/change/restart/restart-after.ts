import { KubepkiError } from '../../errors/error.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Node, NodeOptions } from '../../node/node-options.ts';
import type { restartAfterFlags, Typed } from '../../flags/table.ts';
import { componentsOf, pendingComponents } from './pending.ts';
import { restartComponents, sayFailure } from './restart-components.ts';
import { planRestartRun, refuse } from './restart-plan.ts';
import { termsFor } from './restart-terms.ts';
import { underLock } from '../session.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { stateOf } from '../../node/waiting.ts';

/** Of a command that may restart what it has changed. */
export interface RestartAfterOptions
  extends NodeOptions, Typed<(typeof restartAfterFlags)[number] | 'lockTimeout'> {}

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
 * @returns 8 when it did not succeed, though the change stands; undefined when all is well
 */
export async function restartAfter(
  node: Node,
  options: RestartAfterOptions & Typed<'output'>,
  terminal: Terminal,
): Promise<ExitCode | undefined> {
  if (options.restart !== true || pendingComponents(stateOf(node)).length === 0) return undefined;
  // One that came during the change has waited for its end; the next run restarts what this one does not.
  if ((await terminal.interruptions.duringHold()) !== undefined) return undefined;
  terminal.interruptions.endHold();
  try {
    return await underLock(node, options, terminal, async (state) => {
      const components = pendingComponents(state);
      const terms = termsFor(node, components, options, terminal);
      const plan = planRestartRun(terms.node, components, terms.options);
      if (refuse(plan, terminal)) return exitCodes.changedButNotFinished;
      const run = { ...terms, state, terminal: besideResult(options, terminal) };
      const summary = await restartComponents(plan, run);
      const code = sayFailure(summary, terms.options, terminal);
      if (code === exitCodes.done) return undefined;
      return code === exitCodes.unfinished ? code : exitCodes.changedButNotFinished;
    });
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.error(error);
    return error.code === 'unfinished' ? exitCodes.unfinished : exitCodes.changedButNotFinished;
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
