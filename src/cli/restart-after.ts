import { KubepkiError } from '../errors/error.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import type { NodeOptions, Node } from './node-options.ts';
import { componentsOf, pendingComponents } from './pending.ts';
import { refuse, sayFailure } from './restart.ts';
import { restartComponents } from './restart-components.ts';
import type { RestartOptions } from './restart-options.ts';
import { planRestartRun } from './restart-plan.ts';
import { underLock, type LockOptions } from './session.ts';
import { endHold, interruptionDuringHold } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { stateOf } from './waiting.ts';

/** Of a command that may restart what it has changed. */
export interface RestartAfterOptions extends NodeOptions, LockOptions, RestartOptions {
  readonly restart?: boolean;
  readonly force?: boolean;
}

/**
 * Before the change: whether what uses these certificates can be restarted at all.
 * @returns false when it cannot, which has been said
 */
export function canRestart(
  node: Node,
  names: readonly string[],
  options: RestartAfterOptions,
  terminal: Terminal,
): boolean {
  if (options.restart !== true) return true;
  return !refuse(planRestartRun(node, componentsOf(names), options), terminal);
}

/**
 * After the change: restarts what it has left word of, and what an earlier run has and could not restart.
 * @returns 8 when it did not succeed, though the change stands; undefined when all is well
 */
export async function restartAfter(
  node: Node,
  options: RestartAfterOptions,
  terminal: Terminal,
): Promise<ExitCode | undefined> {
  if (options.restart !== true || pendingComponents(stateOf(node)).length === 0) return undefined;
  // One that came during the change has waited for its end; the next run restarts what this one does not.
  if ((await interruptionDuringHold()) !== undefined) return undefined;
  endHold();
  try {
    return await underLock(node, options, terminal, async (state) => {
      const plan = planRestartRun(node, pendingComponents(state), options);
      if (refuse(plan, terminal)) return exitCodes.changedButNotFinished;
      const summary = await restartComponents(plan, { node, state, options, terminal });
      const code = sayFailure(summary, options, terminal);
      if (code === exitCodes.done) return undefined;
      return code === exitCodes.unfinished ? code : exitCodes.changedButNotFinished;
    });
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    terminal.error(error);
    return error.code === 'unfinished' ? exitCodes.unfinished : exitCodes.changedButNotFinished;
  }
}
