import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { clusterFlags, commonFlags, documentFlags } from '../../flags/table.ts';
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
      says: 'look up absolute paths below this, or each',
      ...directories,
    },
  });
  addFlags(
    command,
    [...clusterFlags, 'output', 'allowMissingTemplateKeys', 'within', 'warning', 'critical'],
    {
      output: expirationOutput,
      within: {
        says: 'exit 4 if something ends so soon, 5 if it is wrong',
      },
    },
  );
  addFlags(
    command,
    [
      ...(['all', 'endpoint', 'kubeconfigFile', 'certsOnly', 'textfile', 'at', 'showManagedFields'] as const),
      ...documentFlags,
    ],
    {
      from: {
        syntax: '--from <files...>',
        says: 'what others print with --all -o json: FILE, DIR, -',
      },
      all: {
        says: 'also what kubeadm has no row for (help check)',
      },
      endpoint: { syntax: '--endpoint <addr...>', says: 'with --all: ask HOST:PORT[,NAME] too' },
      kubeconfigFile: {
        says: "with --all: this person's kubeconfig too",
      },
    },
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<CheckExpirationOptions & TerminalOptions>();
    const { checkExpiration } = await import('./check-expiration.ts');
    run.done(await checkExpiration(options, run.open(options)));
  });
  explain(command, {
    examples: [
      'kubepki certs check-expiration --within 30d --rootfs /backup/*',
      'kubepki certs check-expiration --all --endpoint lb.example.com:6443',
      'kubepki certs check-expiration --from nodes/ --expect cp-1,cp-2,cp-3 --within 30d',
    ],
    notes: ['Exit code 1 if a file could not be read, or if kubeadm manages nothing here.'],
    pages: ['check', 'monitoring', 'configuration', 'exit-codes'],
  });
}
