import type { Command } from 'commander';
import type { RecoverOptions } from './recover.ts';
import { deployHookOption } from '../../flags/deploy-hook-option.ts';
import { explain } from '../../flags/help/explain.ts';
import { addNodeOptions, dryRunOption, lockTimeoutOption } from '../../flags/options.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addRecover(certs: Command, run: Run): void {
  const command = addNodeOptions(
    certs
      .command('recover')
      .summary('bring an interrupted change to an end')
      .description(
        'Brings a change that was interrupted (killed, a full disk, a power cut) to an end: forward where the new files ' +
          'are complete, else back. Every command that writes does this first.',
      ),
  )
    .option('--discard', 'give the interrupted change up: leave every file as it is now, keep the backup')
    .addOption(deployHookOption('then run this for each change that its hook has not followed, or failed'))
    .addOption(dryRunOption())
    .addOption(lockTimeoutOption())
    .action(async (_options, command: Command) => {
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
