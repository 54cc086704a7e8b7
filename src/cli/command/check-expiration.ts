import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CheckExpirationOptions } from '../check-expiration.ts';
import type { ExitCode } from '../exit-code.ts';
import { addNodeOptions, atOption } from '../options.ts';
import { openTerminal, type TerminalOptions } from '../terminal.ts';

export function addCheckExpiration(certs: Command, done: (code: ExitCode) => void): void {
  addNodeOptions(
    certs
      .command('check-expiration')
      .summary('show when every certificate ends')
      .description(
        'Shows when every certificate ends, in the cert dir and inside the kubeconfigs. Changes nothing.',
      ),
  )
    .addOption(
      new Option('-o, --output <format>', 'text, json or yaml').default('text').argParser(parseOutputFormat),
    )
    .addOption(atOption('judge as of this moment'))
    // Printer flags of kubeadm that change nothing in text, JSON and YAML.
    .addOption(new Option('--allow-missing-template-keys [bool]').hideHelp())
    .addOption(new Option('--show-managed-fields [bool]').hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  kubepki certs check-expiration
  kubepki certs check-expiration -o json --cert-dir /backup/pki
  kubepki certs check-expiration --rootfs fixtures/stacked-etcd-rsa --at 2027-01-01T00:00:00Z

Exit code 1 if a file could not be read; missing and expired certificates are exit code 0, as with kubeadm.`,
    )
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<CheckExpirationOptions & TerminalOptions>();
      const { checkExpiration } = await import('../check-expiration.ts');
      done(await checkExpiration(options, openTerminal(options)));
    });
}

function parseOutputFormat(value: string): CheckExpirationOptions['output'] {
  // Go's flag parser takes `-o=json` too.
  const format = value.replace(/^=/, '');
  if (format === 'text' || format === 'json' || format === 'yaml') return format;
  throw new InvalidArgumentError('use text, json or yaml');
}
