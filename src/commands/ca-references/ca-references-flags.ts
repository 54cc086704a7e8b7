import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { commonFlags, nodeFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { ReferencesOptions } from './references.ts';

export function addCaReferences(ca: Command, run: Run): void {
  const self = ca
    .command('references')
    .summary('find the old CA where you must replace it by hand')
    .description(
      'Finds the old CA, and certificates that it has signed, where no stage of a rotation replaces them, and says what does: in webhooks, APIServices, ' +
        'CRDs, Secrets and ConfigMaps of the cluster, in files of this node, and pods that began before the new CA was published. Without a rotation it ' +
        'looks for the CAs of this node. It changes nothing, and shows nothing of what a Secret holds.',
    );
  addFlags(self, [...nodeFlags, 'manifestsDir', 'kubeconfig', 'offline', ...commonFlags, 'output'], {
    kubeconfig: { says: 'to ask the cluster (default: the admin.conf of this node)' },
    offline: { says: 'look at this node alone' },
  }).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<ReferencesOptions & TerminalOptions>();
    const { showReferences } = await import('./references.ts');
    run.done(await showReferences(options, run.open(options)));
  });
  explain(self, {
    notes: [
      'Exit codes: 0 all was looked at, whatever was found; 1 error, or something could not be looked at.',
    ],
    examples: ['kubepki ca references', 'kubepki ca references --offline    # on each worker'],
    pages: ['cas', 'json'],
  });
}
