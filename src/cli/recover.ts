import { discard, inspectDiscard, inspectRecovery, recover } from '../storage/recovery.ts';
import { recoveryPlan } from '../render/recovery-plan.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { noteRecovery, underLock, type LockOptions } from './session.ts';
import { holdInterruptions, noteRecovered } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { stateOf } from './waiting.ts';

export interface RecoverOptions extends NodeOptions, LockOptions {
  readonly discard?: boolean;
  readonly dryRun?: boolean;
}

export async function recoverChange(options: RecoverOptions, terminal: Terminal): Promise<ExitCode> {
  const node = await openNode(options, terminal);
  if (options.dryRun === true) {
    const state = stateOf(node);
    const recovery = options.discard === true ? inspectDiscard(state) : inspectRecovery(state);
    terminal.result(recoveryPlan(recovery, { discard: options.discard === true }));
    return exitCodes.done;
  }
  return underLock(
    node,
    options,
    terminal,
    (state) => {
      holdInterruptions();
      const recovery = options.discard === true ? discard(state) : recover(state);
      if (options.discard === true && recovery.outcome !== 'none') {
        terminal.note(`given up, files as they are, backup kept: ${recovery.command}`);
      } else {
        noteRecovery(recovery, terminal);
      }
      if (recovery.outcome !== 'none') noteRecovered();
      terminal.result(recovery.outcome === 'none' ? 'nothing to recover\n' : 'recovered\n');
      return Promise.resolve(exitCodes.done);
    },
    { resume: false },
  );
}
