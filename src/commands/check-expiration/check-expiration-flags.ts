import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { clusterFlags, commonFlags } from '../../flags/table.ts';
import { directories } from '../../flags/values.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { CheckExpirationOptions } from './check-expiration.ts';
import { expirationOutput } from './expiration-output.ts';

export function addCheckExpiration(certs: Command, run: Run): void {
  const command = certs
    .command('check-expiration')
    .summary('show when every certificate ends')
    .description('Shows when each certificate ends, also those in kubeconfigs. Changes nothing.');
  addFlags(command, ['certDir', 'kubeconfigDir', 'config', 'rootfs', 'rootfsFrom', ...commonFlags], {
    rootfs: {
      syntax: '--rootfs <dir...>',
      says: 'look up absolute paths below this directory, or each',
      ...directories,
    },
  });
  addFlags(
    command,
    [...clusterFlags, 'output', 'allowMissingTemplateKeys', 'within', 'warning', 'critical'],
    {
      output: expirationOutput,
      within: {
        says: 'exit 4 if something expires within this time, such as 30d or 4w; 5 if something is wrong already',
      },
    },
  );
  addFlags(
    command,
    ['all', 'endpoint', 'kubeconfigFile', 'certsOnly', 'textfile', 'at', 'showManagedFields'],
    {
      all: {
        says: "also the kubelet's, people's kubeconfigs, an external etcd's client, each CA of a bundle",
      },
      endpoint: { says: 'with --all: also ask this address; name: the name to ask it for' },
      kubeconfigFile: {
        says: "with --all: also this person's kubeconfig, as at ~/.kube/config of root and of the user behind sudo",
      },
    },
  ).action(async (_options, command: Command) => {
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
      'kubepki certs check-expiration --all --endpoint lb.example.com:6443',
    ],
    notes: ['Exit code 1 if a file could not be read, or if kubeadm manages nothing here.'],
    pages: ['check', 'monitoring', 'configuration', 'exit-codes'],
  });
}
