import { Argument, type Command } from 'commander';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { changeFlags, clusterFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';

const stages = [
  { word: 'trust', description: 'make the next key, and have tokens of it taken for good' },
  { word: 'switch', description: 'sign with the next key' },
  { word: 'finish', description: 'have tokens of the old key refused' },
  { word: 'export', description: 'write the next key, sealed, for the other nodes' },
];

export function addSaRotate(sa: Command, run: Run): void {
  const self = sa
    .command('rotate')
    .summary('replace the key, in stages; without a stage: where it is')
    .description(
      'Replaces the service-account key: trust, switch, finish, each on every control-plane node before the next. Without a stage it says what is next.',
    )
    .addArgument(offering(new Argument('[stage]', 'trust, switch, finish, or export'), stages))
    .addArgument(new Argument('[file]', 'with export: where the sealed next key goes'));
  addFlags(self, [...nodeFlags, ...clusterFlags, ...commonFlags, ...restartAfterFlags], {
    kubeconfig: { says: 'to ask the cluster (default: the admin.conf)' },
    offline: { says: 'ask the cluster nothing' },
    restart: { says: 'then restart what reads the changed files' },
  });
  addFlags(self, ['key', 'accept', 'destroyOldKey', 'passphraseFile', ...changeFlags], {
    accept: { says: 'your word for conditions, with commas between' },
    key: { says: 'the next key, brought from another node' },
    passphraseFile: { says: 'has the passphrase (default: asks)' },
    destroyOldKey: {
      syntax: '--destroy-old-key <kid>',
      says: 'the last: destroy it, in backups too',
    },
  }).action(async (stage: string | undefined, file: string | undefined, _options, command: Command) => {
    const options = command.optsWithGlobals<SaRotateOptions & TerminalOptions>();
    const { rotateTokenKey } = await import('./sa-rotate.ts');
    run.done(await rotateTokenKey([stage, file], options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki sa rotate trust --restart',
      'kubepki sa rotate trust --restart --key FILE',
      'kubepki sa rotate finish --restart --accept extended-tokens',
    ],
    pages: ['service-account-key', 'restarts', 'undo'],
  });
}
