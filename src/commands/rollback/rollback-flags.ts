import { Argument, type Command } from 'commander';
import type { RollbackOptions } from './rollback.ts';
import { addFlags, explain, offeringBackups } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addRollback(certs: Command, run: Run): void {
  const self = certs
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
    );
  addFlags(self, [...nodeFlags, 'kubeconfig', ...commonFlags, ...restartAfterFlags], {
    kubeconfig: { says: undefined },
  });
  addFlags(self, ['force', ...changeFlags], {
    force: { says: 'even if certificates come back that have expired or that another CA signed' },
    keepBackups: { says: 'of how many changes to keep backups (default: all)', default: undefined },
  }).action(async (id: string | undefined, _options, command: Command) => {
    const options = command.optsWithGlobals<RollbackOptions & TerminalOptions>();
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
