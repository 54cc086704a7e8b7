import { type Command, InvalidArgumentError, Option } from 'commander';
import { offering } from '../../flags/names/offering.ts';
import { withoutEquals } from '../../flags/output-option.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { VersionFormat } from './version.ts';

const formats = ['text', 'short', 'json', 'yaml'] as const;

export function addVersion(program: Command, run: Run): void {
  program
    .command('version')
    .summary('print the version, the commit and what runs it')
    .description('Prints the version, the commit it was built from, and the runtime that runs it.')
    .allowExcessArguments(false)
    .addOption(
      offering(new Option('-o, --output <format>', 'text, short (the version alone), json or yaml'), formats)
        .default('text')
        .argParser(parseFormat),
    )
    .addOption(new Option('-v, --v <level>').hideHelp())
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<{ readonly output: VersionFormat } & TerminalOptions>();
      const { printVersion } = await import('./version.ts');
      run.done(printVersion(options.output, run.open(options)));
    });
}

/** @throws InvalidArgumentError */
function parseFormat(value: string): VersionFormat {
  const format = formats.find((one) => one === withoutEquals(value));
  if (format !== undefined) return format;
  throw new InvalidArgumentError('use text, short, json or yaml');
}
