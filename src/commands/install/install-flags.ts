import { Argument, type Command } from 'commander';
import { certificates } from '../../catalog/catalog.ts';
import type { InstallOptions } from './install.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addInstall(certs: Command, run: Run): void {
  const self = certs
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
    );
  addFlags(self, [...nodeFlags, 'kubeconfig', ...commonFlags, ...restartAfterFlags], {
    kubeconfig: { says: undefined },
  });
  addFlags(self, ['csrDir', 'fromBundle', 'allowChanges', ...changeFlags], {
    csrDir: { says: 'where CSRs, keys and signed certificates are (default: the cert dir)' },
  }).action(async (names: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<InstallOptions & TerminalOptions>();
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
