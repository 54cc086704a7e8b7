import type { Command } from 'commander';
import type { HistoryOptions } from './history.ts';
import { explain } from '../../flags/help/explain.ts';
import { outputOption } from '../../flags/output-option.ts';
import { addNodeOptions } from '../../flags/options.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addHistory(certs: Command, run: Run): void {
  const command = addNodeOptions(
    certs
      .command('history')
      .summary('list the backups')
      .description('Lists the backups, the newest first: each change keeps what it replaced.'),
  )
    .addOption(outputOption())
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<HistoryOptions & TerminalOptions>();
      const { showHistory } = await import('./history.ts');
      run.done(await showHistory(options, run.open(options)));
    });
  explain(command, {
    examples: ['kubepki certs history', 'kubepki certs history -o json'],
    pages: ['undo', 'files', 'json'],
  });
}
