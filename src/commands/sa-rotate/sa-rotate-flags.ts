import { Argument, type Command } from 'commander';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { changeFlags, clusterFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';

const stages = [
  { word: 'trust', description: 'make the next key, and have tokens of it taken for good' },
  { word: 'switch', description: 'sign with the next key' },
  { word: 'finish', description: 'have tokens of the old key refused' },
];

export function addSaRotate(sa: Command, run: Run): void {
  const self = sa
    .command('rotate')
    .summary('replace the key, in stages; without a stage: where it is')
    .description(
      'Replaces the service-account key without a token being refused: trust, switch, finish, each on every control-plane node before the next one. ' +
        'Without a stage it says where this node is, and what is next.',
    )
    .addArgument(offering(new Argument('[stage]', 'trust, switch or finish'), stages));
  addFlags(self, [...nodeFlags, ...clusterFlags, ...commonFlags, ...restartAfterFlags], {
    kubeconfig: { says: "to ask the cluster (default: this node's admin.conf)" },
    offline: { says: 'ask the cluster nothing' },
    restart: { says: 'then restart kube-apiserver, and kube-controller-manager at switch' },
  });
  addFlags(self, ['key', 'accept', 'destroyOldKey', ...changeFlags], {
    destroyOldKey: {
      syntax: '--destroy-old-key <kid>',
      says: 'with finish, once all nodes have finished: destroy the old key, in the backups too',
    },
  }).action(async (stage: string | undefined, _options, command: Command) => {
    const options = command.optsWithGlobals<SaRotateOptions & TerminalOptions>();
    const { rotateTokenKey } = await import('./sa-rotate.ts');
    run.done(await rotateTokenKey(stage, options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki sa rotate trust --restart',
      'kubepki sa rotate trust --restart --key next.key',
      'kubepki sa rotate switch --restart',
      'kubepki sa rotate finish --restart --accept extended-tokens',
    ],
    pages: ['service-account-key', 'restarts', 'undo'],
  });
}
