import type { Command } from 'commander';
import { addFlags } from '../../flags/command.ts';
import { oneOf } from '../../flags/values.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { VersionFormat } from './version.ts';

export function addVersion(program: Command, run: Run): void {
  const command = program
    .command('version')
    .summary('print the version, the commit and what runs it')
    .description('Prints the version, the commit it was built from, and the runtime that runs it.');
  addFlags(command, ['output', 'v'], {
    output: {
      says: 'text, short (the version alone), json or yaml',
      ...oneOf('text', 'short', 'json', 'yaml'),
    },
  }).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<{ readonly output: VersionFormat } & TerminalOptions>();
    const { printVersion } = await import('./version.ts');
    run.done(printVersion(options.output, run.open(options)));
  });
}
