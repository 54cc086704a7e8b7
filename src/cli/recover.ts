import { discard, recover } from '../storage/recovery.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { noteRecovery, underLock, type LockOptions } from './session.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting } from './waiting.ts';

export interface RecoverOptions extends NodeOptions, LockOptions {
  readonly discard?: boolean;
  readonly dryRun?: boolean;
}

export async function recoverChange(options: RecoverOptions, terminal: Terminal): Promise<ExitCode> {
  const node = await openNode(options, terminal);
  if (options.dryRun === true) {
    noteWaiting(node, terminal);
    terminal.result('nothing was changed (--dry-run)\n');
    return exitCodes.done;
  }
  return underLock(
    node,
    options,
    terminal,
    (state) => {
      const recovery = options.discard === true ? discard(state) : recover(state);
      if (options.discard === true && recovery.outcome !== 'none') {
        terminal.note(`given up, files as they are, backup kept: ${recovery.command}`);
      } else {
        noteRecovery(recovery, terminal);
      }
      terminal.result(recovery.outcome === 'none' ? 'nothing to recover\n' : 'recovered\n');
      return Promise.resolve(exitCodes.done);
    },
    { resume: false },
  );
}
