import { discardAside, inspectAside, moveBack } from '../../storage/aside.ts';
import { discard, inspectDiscard, inspectRecovery, recover } from '../../storage/recovery.ts';
import type { Typed } from '../../flags/table.ts';
import { recoveryPlan } from '../../render/change/rollback.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { notePendingRestarts, tidyPending } from '../../change/restart/pending.ts';
import { noteOwedHooks, runHooks, tidyHooks } from '../../change/pending-hooks.ts';
import { noteManifest, noteRecovery, underLock } from '../../change/session.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { stateOf } from '../../node/waiting.ts';

export interface RecoverOptions
  extends NodeOptions, Typed<'lockTimeout' | 'deployHook' | 'discard' | 'dryRun'> {}

export async function recoverChange(options: RecoverOptions, terminal: Terminal): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  const state = stateOf(node);
  const { deployHook } = options;
  if (options.dryRun === true) {
    const discard = options.discard === true;
    const change = discard ? inspectDiscard(state) : inspectRecovery(state);
    terminal.result(recoveryPlan({ manifest: inspectAside(state, { discard }), change }, { discard }));
    noteOwedHooks(state, { willRun: deployHook !== undefined }, terminal);
    return exitCodes.done;
  }
  await underLock(
    node,
    options,
    terminal,
    () => {
      terminal.interruptions.hold();
      // First: every second that a manifest is away, its component is down.
      const returned = options.discard === true ? discardAside(state) : moveBack(state);
      noteManifest(returned, terminal);
      const recovery = options.discard === true ? discard(state) : recover(state);
      if (options.discard === true && recovery.outcome !== 'none') {
        terminal.note(`given up, files as they are, backup kept: ${recovery.command}`);
      } else {
        noteRecovery(recovery, terminal);
      }
      if (recovery.outcome !== 'none' || returned.outcome !== 'none') terminal.interruptions.noteRecovered();
      const nothing = recovery.outcome === 'none' && returned.outcome === 'none';
      terminal.result(nothing ? 'nothing to recover\n' : 'recovered\n');
      tidyPending(state, options, terminal);
      tidyHooks(state, terminal);
      notePendingRestarts(state, terminal);
      return Promise.resolve();
    },
    { resume: false },
  );
  // Without the lock, as after a change: a hook may call kubepki.
  const well = await runHooks(deployHook, undefined, state, terminal);
  return well ? exitCodes.done : exitCodes.changedButNotFinished;
}
