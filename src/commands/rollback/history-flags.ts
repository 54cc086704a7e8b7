import type { Command } from 'commander';
import type { HistoryOptions } from './history.ts';
import { addFlags, explain } from '../../flags/command.ts';
import { commonFlags, nodeFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addHistory(certs: Command, run: Run): void {
  const command = certs
    .command('history')
    .summary('list the backups')
    .description('Lists the backups, the newest first: each change keeps what it replaced.');
  addFlags(command, [...nodeFlags, 'kubeconfig', ...commonFlags, 'output'], {
    kubeconfig: { says: undefined },
  }).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<HistoryOptions & TerminalOptions>();
    const { showHistory } = await import('./history.ts');
    run.done(await showHistory(options, run.open(options)));
  });
  explain(command, {
    examples: ['kubepki certs history', 'kubepki certs history -o json'],
    pages: ['undo', 'files', 'json'],
  });
}
