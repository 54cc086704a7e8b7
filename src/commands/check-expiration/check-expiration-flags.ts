import { type Command, Option } from 'commander';
import type { CheckExpirationOptions } from './check-expiration.ts';
import { addClusterOptions } from '../../flags/cluster-options.ts';
import { explain } from '../../flags/help/explain.ts';
import { addNodeOptions, atOption } from '../../flags/options.ts';
import { expirationOutputOption, missingKeysOption } from '../../flags/expiration-output-option.ts';
import { parsePeriodOption, withinOption } from '../../flags/period-option.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import { textfileOption } from '../../flags/textfile-option.ts';
import { treesOptions } from '../../flags/trees-options.ts';

export function addCheckExpiration(certs: Command, run: Run): void {
  const command = addNodeOptions(
    certs
      .command('check-expiration')
      .summary('show when every certificate ends')
      .description('Shows when each certificate ends, also those in kubeconfigs. Changes nothing.'),
    { kubeconfig: false, rootfs: treesOptions() },
  );
  addClusterOptions(command)
    .addOption(expirationOutputOption())
    .addOption(missingKeysOption())
    .addOption(
      withinOption(
        'exit 4 if something expires within this time, such as 30d or 4w; 5 if something is wrong already',
      ),
    )
    .addOption(
      new Option('--warning <duration>', 'with -o nagios: when to warn (default: 30d)').argParser(
        parsePeriodOption,
      ),
    )
    .addOption(
      new Option('--critical <duration>', 'with -o nagios: when it is critical (default: 7d)').argParser(
        parsePeriodOption,
      ),
    )
    .addOption(new Option('--certs-only', 'look at no private key: for copies without keys'))
    .addOption(textfileOption())
    .addOption(atOption('judge as of this moment'))
    // A printer flag of kubeadm that changes nothing here.
    .addOption(new Option('--show-managed-fields [bool]').hideHelp())
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CheckExpirationOptions & TerminalOptions>();
      const { checkExpiration } = await import('./check-expiration.ts');
      run.done(await checkExpiration(options, run.open(options)));
    });
  explain(command, {
    examples: [
      'kubepki certs check-expiration',
      'kubepki certs check-expiration --within 30d',
      'kubepki certs check-expiration -o json --cert-dir /backup/pki',
      'kubepki certs check-expiration --within 30d --rootfs /backup/*',
    ],
    notes: ['Exit code 1 if a file could not be read, or if kubeadm manages nothing here.'],
    pages: ['check', 'monitoring', 'configuration', 'exit-codes'],
  });
}
