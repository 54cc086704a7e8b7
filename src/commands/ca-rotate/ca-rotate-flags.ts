import { Argument, type Command } from 'commander';
import { certificateAuthorities } from '../../catalog/catalog.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import { stages } from '../../operations/rotation/plan.ts';
import type { RotateOptions } from './rotate-options.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addCaRotate(ca: Command, run: Run): void {
  const self = ca
    .command('rotate')
    .summary('replace CAs by new ones with new keys, in stages')
    .description(
      'Replaces CAs by new ones with new keys while the cluster runs, in stages: prepare, trust, switch, distrust, finish. Each is done on ' +
        'every control plane before the next begins, and each but the last can be gone back from. Without a stage it says where this node ' +
        'is, and what is next.',
    )
    .addArgument(
      offering(new Argument('[stage]', 'which (default: say what is next)'), [...stages, 'export']),
    )
    .addArgument(
      offering(
        new Argument('[names...]', 'which CAs (default: all of this rotation); with export: the file'),
        certificateAuthorities.map(({ name, longName }) => ({ word: name, description: longName })),
      ),
    );
  addFlags(self, [...nodeFlags, 'kubeconfig', ...commonFlags, ...restartAfterFlags], {
    kubeconfig: { says: 'to ask the cluster (default: the admin.conf of this node)' },
  });
  addFlags(
    self,
    [
      'from',
      'accept',
      'import',
      'caCert',
      'crossCert',
      'withKeys',
      'passphraseFile',
      'destroyOldKey',
      'offline',
      ...changeFlags,
    ],
    {
      offline: { says: 'ask neither the cluster nor what runs here' },
    },
  ).action(async (stage: string | undefined, names: string[], _options, command: Command) => {
    const options = command.optsWithGlobals<RotateOptions & TerminalOptions>();
    const { rotate } = await import('./rotate.ts');
    run.done(await rotate(stage, names, options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki ca rotate prepare',
      'kubepki ca rotate trust --restart',
      'kubepki ca rotate switch --restart --from cp-2.json,worker-1.json',
    ],
    notes: [
      'A stage begins when its conditions are met on all nodes. What is not measured is named, and --accept is your word for it.',
    ],
    pages: ['cas', 'restarts', 'exit-codes'],
  });
}
