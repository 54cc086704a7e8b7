import { discardAside, inspectAside, moveBack } from '../storage/aside.ts';
import { discard, inspectDiscard, inspectRecovery, recover } from '../storage/recovery.ts';
import { recoveryPlan } from '../render/recovery-plan.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { notePendingRestarts, tidyPending } from './pending.ts';
import { noteManifest, noteRecovery, underLock, type LockOptions } from './session.ts';
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
    const discard = options.discard === true;
    const change = discard ? inspectDiscard(state) : inspectRecovery(state);
    terminal.result(recoveryPlan({ manifest: inspectAside(state, { discard }), change }, { discard }));
    return exitCodes.done;
  }
  return underLock(
    node,
    options,
    terminal,
    (state) => {
      holdInterruptions();
      // First: every second that a manifest is away, its component is down.
      const returned = options.discard === true ? discardAside(state) : moveBack(state);
      noteManifest(returned, terminal);
      const recovery = options.discard === true ? discard(state) : recover(state);
      if (options.discard === true && recovery.outcome !== 'none') {
        terminal.note(`given up, files as they are, backup kept: ${recovery.command}`);
      } else {
        noteRecovery(recovery, terminal);
      }
      if (recovery.outcome !== 'none' || returned.outcome !== 'none') noteRecovered();
      const nothing = recovery.outcome === 'none' && returned.outcome === 'none';
      terminal.result(nothing ? 'nothing to recover\n' : 'recovered\n');
      tidyPending(state);
      notePendingRestarts(state, options, terminal);
      return Promise.resolve(exitCodes.done);
    },
    { resume: false },
  );
}
