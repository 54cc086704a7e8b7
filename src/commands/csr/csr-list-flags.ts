import type { Command } from 'commander';
import { explain } from '../../flags/command.ts';
import { addCsrFlags, type CsrOptions } from './csr-flags.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addCsrList(csr: Command, run: Run): void {
  const command = csr
    .command('list')
    .summary('list the signing requests and what they ask for')
    .description(
      "Lists all signing requests of the cluster: kubectl's columns, then the key and the names that each asks for.",
    );
  addCsrFlags(command).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<CsrOptions & TerminalOptions>();
    const { listRequests } = await import('./csr-list.ts');
    run.done(await listRequests(options, run.open(options)));
  });
  explain(command, {
    examples: ['kubepki csr list', 'kubepki csr list -o json'],
    pages: ['kubelet-serving', 'json'],
  });
}
