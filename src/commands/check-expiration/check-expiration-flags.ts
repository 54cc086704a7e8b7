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
      .description(
        'Shows when every certificate ends, in the cert dir and inside the kubeconfigs. Changes nothing.',
      ),
    { kubeconfig: false, rootfs: treesOptions() },
  );
  addClusterOptions(command)
    .addOption(expirationOutputOption())
    .addOption(missingKeysOption())
    .addOption(withinOption('exit 4 if something expires within this time, 5 if something is wrong already'))
    .addOption(
      new Option('--warning <duration>', 'with -o nagios: WARNING within this time (default: 30d)').argParser(
        parsePeriodOption,
      ),
    )
    .addOption(
      new Option(
        '--critical <duration>',
        'with -o nagios: CRITICAL within this time (default: 7d)',
      ).argParser(parsePeriodOption),
    )
    .addOption(
      new Option(
        '--certs-only',
        'look at no private key: for copies without keys, and for users that may not read them',
      ),
    )
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
      `kubepki certs check-expiration -o jsonpath='{range .certificates[*]}{.name}{"\\n"}{end}'`,
      'kubepki certs check-expiration -o nagios --warning 30d --critical 7d',
      'kubepki certs check-expiration --textfile /var/lib/prometheus/node-exporter/kubepki.prom',
      'kubepki certs check-expiration --rootfs fixtures/stacked-etcd-rsa --at 2027-01-01T00:00:00Z',
      'kubepki certs check-expiration --within 30d --rootfs /backup/*',
    ],
    notes: [
      'Exit code 1 if a file could not be read, or if kubeadm manages nothing here (a worker, an empty directory). With --within 5 if something is wrong, else 4 if something expires within that time. With -o nagios 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.',
      'What is wrong and not in the table is a warning on stderr. Several trees make one table or document, and the cluster is not asked then.',
    ],
    pages: ['check', 'monitoring', 'configuration', 'exit-codes'],
  });
}
