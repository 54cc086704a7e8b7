import { Argument, type Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { TrustOptions } from './trust-options.ts';

export function addCaTrust(ca: Command, run: Run): void {
  const self = ca
    .command('trust')
    .summary('take CAs over from a control plane: renewed ones, or those of a rotation')
    .description(
      'Takes CAs over from a control plane, without any key: renewed ones (PEM) on every other node; or on workers what "kubepki ca rotate export" ' +
        'has written, which brings the node to that stage, and its kubelet to a certificate of the new CA.',
    )
    .addArgument(
      new Argument('<file>', 'renewed CA certificates (PEM), or what "kubepki ca rotate export" has written'),
    );
  addFlags(self, [...nodeFlags, ...commonFlags, ...restartAfterFlags]);
  addFlags(self, ['accept', 'offline', ...changeFlags], {
    accept: { says: 'your word for an older-file, or for a skipped-stage, with commas between' },
    offline: { says: "leave the kubelet's certificate as it is: ask no API server for another" },
  }).action(async (file: string, _options, command: Command) => {
    const options = command.optsWithGlobals<TrustOptions & TerminalOptions>();
    const { trustAuthorities } = await import('./ca-trust.ts');
    run.done(await trustAuthorities(file, options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki ca trust /root/renewed-ca.pem --dry-run',
      'kubepki ca trust /root/rotation.tar && systemctl restart kubelet',
    ],
    pages: ['cas', 'restarts', 'undo', 'exit-codes'],
  });
}
