import type { Command } from 'commander';
import { addFlags } from '../../flags/command.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addCertificateKey(certs: Command, run: Run): void {
  const command = certs
    .command('certificate-key')
    .summary('print a new key for "kubeadm init phase upload-certs"')
    .description(
      'Prints 32 random bytes as 64 hex digits: a key that kubeadm encrypts uploaded certificates with.',
    );
  addFlags(command, ['rootfs', 'v'], { rootfs: { says: undefined } }).action(
    async (_options, command: Command) => {
      const options = command.optsWithGlobals<TerminalOptions>();
      const { printCertificateKey } = await import('./certificate-key.ts');
      run.done(printCertificateKey(run.open(options)));
    },
  );
}
