import { Argument, type Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { TrustOptions } from './ca-trust.ts';

export function addCaTrust(ca: Command, run: Run): void {
  const self = ca
    .command('trust')
    .summary('take renewed CAs over from another node')
    .description(
      "Puts renewed CA certificates in the place of those of the same CA: in this node's CA files and in the kubeconfigs that hold " +
        'them, all or none. For every node but the one on which "kubepki ca renew" ran, workers too. It needs no key, and no CA is ' +
        'trusted afterwards that was not before.',
    )
    .addArgument(new Argument('<file>', 'PEM: the renewed ca.crt, or several such files in one'));
  addFlags(self, [...nodeFlags, ...commonFlags, ...restartAfterFlags]);
  addFlags(self, changeFlags, {}).action(async (file: string, _options, command: Command) => {
    const options = command.optsWithGlobals<TrustOptions & TerminalOptions>();
    const { trustAuthorities } = await import('./ca-trust.ts');
    run.done(await trustAuthorities(file, options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki ca trust /root/ca.crt',
      'kubepki ca trust /root/ca.crt --dry-run',
      'kubepki ca trust /root/renewed-ca.pem --restart',
    ],
    notes: [
      'A certificate is taken where name, key and subject key identifier are those of a CA that this node has, and where it ends later.',
      'Where a node has them all already, nothing is changed, and the exit code is 0.',
    ],
    pages: ['cas', 'restarts', 'undo', 'exit-codes'],
  });
}
