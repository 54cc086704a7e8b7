import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { clusterFlags, commonFlags } from '../../flags/table.ts';
import { directories } from '../../flags/values.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { openTerminal, type TerminalOptions } from '../../terminal/terminal.ts';
import type { CheckExpirationOptions } from './check-expiration.ts';
import { expirationOutput } from './expiration-output.ts';

export function addCheckExpiration(certs: Command, done: (code: ExitCode) => void): void {
  const command = certs
    .command('check-expiration')
    .summary('show when every certificate ends')
    .description(
      'Shows when every certificate ends, in the cert dir and inside the kubeconfigs. Changes nothing.',
    );
  addFlags(command, ['certDir', 'kubeconfigDir', 'config', 'rootfs', 'rootfsFrom', ...commonFlags], {
    rootfs: {
      syntax: '--rootfs <dir...>',
      says: 'look up every absolute path below this directory; of several, below each',
      ...directories,
    },
  });
  addFlags(
    command,
    [...clusterFlags, 'output', 'allowMissingTemplateKeys', 'within', 'warning', 'critical'],
    {
      output: expirationOutput,
      within: {
        says: 'exit 4 if something expires within this time, 5 if something is wrong already, such as 720h, 30d or 4w',
      },
    },
  );
  addFlags(command, ['certsOnly', 'textfile', 'at', 'showManagedFields']).action(
    async (_options, command: Command) => {
      const options = command.optsWithGlobals<CheckExpirationOptions & TerminalOptions>();
      const { checkExpiration } = await import('./check-expiration.ts');
      done(await checkExpiration(options, openTerminal(options)));
    },
  );
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
