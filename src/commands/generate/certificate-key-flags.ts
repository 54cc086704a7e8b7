import type { Command } from 'commander';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { addFlags } from '../../flags/command.ts';
import { openTerminal, type TerminalOptions } from '../../terminal/terminal.ts';

export function addCertificateKey(certs: Command, done: (code: ExitCode) => void): void {
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
      done(printCertificateKey(openTerminal(options)));
    },
  );
}
