import type { Command } from 'commander';
import type { RecoverOptions } from './recover.ts';
import { addFlags, explain } from '../../flags/command.ts';
import { commonFlags, nodeFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addRecover(certs: Command, run: Run): void {
  const command = certs
    .command('recover')
    .summary('bring an interrupted change to an end')
    .description(
      'Brings a change that was interrupted (killed, a full disk, a power cut) to an end: forward where the new files ' +
        'are complete, else back. Every command that writes does this first.',
    );
  addFlags(
    command,
    [...nodeFlags, 'kubeconfig', ...commonFlags, 'discard', 'deployHook', 'dryRun', 'lockTimeout'],
    {
      kubeconfig: { says: undefined },
      deployHook: { says: 'then run this for each change that its hook has not followed, or failed' },
    },
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<RecoverOptions & TerminalOptions>();
    const { recoverChange } = await import('./recover.ts');
    run.done(await recoverChange(options, run.open(options)));
  });
  explain(command, {
    examples: [
      'kubepki certs recover --dry-run',
      'kubepki certs recover',
      "kubepki certs recover --deploy-hook 'systemctl reload haproxy'",
    ],
    pages: ['undo', 'files', 'hooks', 'exit-codes'],
  });
}
