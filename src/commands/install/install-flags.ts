import { Argument, type Command } from 'commander';
import { certificates } from '../../catalog/catalog.ts';
import type { InstallOptions } from './install.ts';
import { deployHookOption } from '../../flags/deploy-hook-option.ts';
import { explain } from '../../flags/help/explain.ts';
import { offering } from '../../flags/names/offering.ts';
import {
  addNodeOptions,
  dryRunOption,
  keepBackupsOption,
  lockTimeoutOption,
  pathOption,
} from '../../flags/options.ts';
import { outputOption } from '../../flags/output-option.ts';
import { requireRestartAsked, restartAfterOptions } from '../../flags/restart-options.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addInstall(certs: Command, run: Run): void {
  const self = addNodeOptions(
    certs
      .command('install')
      .summary('put certificates of an external CA in their places')
      .description(
        'Takes the certificates that an external CA has signed for the CSRs of "renew --csr-only" or "generate-csr", checks ' +
          'each, and puts it and its key in place, in PKI files and inside kubeconfigs: all of them or none.',
      )
      .addArgument(
        offering(
          new Argument('[names...]', 'which (default: all that are signed)'),
          certificates.map(({ name, longName }) => ({ word: name, description: longName })),
        ),
      ),
  );
  for (const option of restartAfterOptions()) self.addOption(option);
  self
    .addOption(
      pathOption('--csr-dir <dir>', 'where CSRs, keys and signed certificates are (default: the cert dir)'),
    )
    .addOption(pathOption('--from-bundle <file>', 'take the certificates from this PEM file too'))
    .option('--allow-changes', "accept other SANs than the CSR's, and show them")
    .addOption(outputOption())
    .addOption(deployHookOption())
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .action(async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<InstallOptions & TerminalOptions>();
      requireRestartAsked(options);
      const { installCertificates } = await import('./install.ts');
      run.done(await installCertificates(names, options, run.open(options)));
    });
  explain(self, {
    examples: [
      'kubepki certs install',
      'kubepki certs install --csr-dir /root/csr',
      'kubepki certs install apiserver --from-bundle signed.pem --dry-run',
    ],
    notes: ['Exit code 6 if nothing could be installed, or not all that was named.'],
    pages: ['external-ca', 'restarts', 'hooks', 'exit-codes'],
  });
}
