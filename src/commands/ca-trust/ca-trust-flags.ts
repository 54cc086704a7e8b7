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
      "Brings this node's CAs to what a file from a control plane says: ca.crt and kubelet.conf, all or none. It needs no key of a CA. The file " +
        'is either PEM with CA certificates that "kubepki ca renew" has renewed, for every other node; or the file of "kubepki ca rotate ' +
        'export", for workers: then the node is at the stage of that file, and once the new CA signs, the kubelet gets a new certificate.',
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
      'kubepki ca trust /root/renewed-ca.pem',
      'kubepki ca trust /root/rotation.tar --dry-run',
      'kubepki ca trust /root/rotation.tar && systemctl restart kubelet',
    ],
    notes: [
      'A renewed certificate is taken where name, key and subject key identifier are those of a CA that this node has, and where it ends later.',
      'The file of a rotation is taken where this node has its old CA, or its plan; stage by stage.',
      'Where a node has it all already, nothing is changed, and the exit code is 0.',
    ],
    pages: ['cas', 'restarts', 'undo', 'exit-codes'],
  });
}
