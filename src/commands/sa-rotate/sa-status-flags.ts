import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { clusterFlags, commonFlags, nodeFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { SaStatusOptions } from './token-key-status.ts';

export function addSaStatus(sa: Command, run: Run): void {
  const self = sa
    .command('status')
    .summary('which keys there are, and which tokens are of which')
    .description(
      'Shows the keys of service-account tokens by their ids (kid), those that each API server knows and signs with, and the Secrets with tokens of another key than the one that signs. Changes nothing.',
    );
  addFlags(self, [...nodeFlags, ...clusterFlags, ...commonFlags, 'output'], {
    kubeconfig: { says: "to ask the cluster (default: this node's admin.conf)" },
    offline: { says: 'ask the cluster nothing' },
  }).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<SaStatusOptions & TerminalOptions>();
    const { showTokenKeyStatus } = await import('./token-key-status.ts');
    run.done(await showTokenKeyStatus(options, run.open(options), { isShort: false }));
  });
  explain(self, {
    examples: ['kubepki sa status', 'kubepki sa status -o json'],
    notes: ['To see with which key an API server signs, it is asked for a token that is for nobody.'],
    pages: ['service-account-key', 'json'],
  });
}
