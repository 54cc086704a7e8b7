import { Argument, type Command } from 'commander';
import type { RollbackOptions } from './rollback.ts';
import { deployHookOption } from '../../flags/deploy-hook-option.ts';
import { explain } from '../../flags/help/explain.ts';
import { offeringBackups } from '../../flags/names/offering.ts';
import {
  addNodeOptions,
  dryRunOption,
  keepAllBackupsOption,
  lockTimeoutOption,
} from '../../flags/options.ts';
import { outputOption } from '../../flags/output-option.ts';
import { requireRestartAsked, restartAfterOptions } from '../../flags/restart-options.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addRollback(certs: Command, run: Run): void {
  const self = addNodeOptions(
    certs
      .command('rollback')
      .summary('bring back what a change replaced')
      .description(
        'Brings back the files that a change replaced, all or none. A second rollback goes further back. What was taken back is redone by the ID of the rollback: it keeps a backup too.',
      )
      .addArgument(
        offeringBackups(
          new Argument(
            '[id]',
            'the backup, from "kubepki certs history": its ID, the beginning of it, or its number (default: the newest that is further back)',
          ),
        ),
      ),
  );
  for (const option of restartAfterOptions()) self.addOption(option);
  self
    .option('--force', 'even if certificates come back that have expired or that another CA signed')
    .addOption(outputOption())
    .addOption(deployHookOption())
    .addOption(dryRunOption())
    .addOption(keepAllBackupsOption())
    .addOption(lockTimeoutOption())
    .action(async (id: string | undefined, _options, command: Command) => {
      const options = command.optsWithGlobals<RollbackOptions & TerminalOptions>();
      requireRestartAsked(options);
      const { rollBackChange } = await import('./rollback.ts');
      run.done(await rollBackChange(id, options, run.open(options)));
    });
  explain(self, {
    examples: [
      'kubepki certs rollback --dry-run',
      'kubepki certs rollback --restart',
      'kubepki certs rollback 3',
    ],
    pages: ['undo', 'restarts', 'hooks'],
  });
}
