import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { commonFlags, nodeFlags } from '../../flags/table.ts';
import type { StatusOptions } from './status.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addCaStatus(ca: Command, run: Run): void {
  const self = ca
    .command('status')
    .summary('say where this node is in the rotation of CAs')
    .description(
      'Says where this node is in the rotation of CAs: its files, what runs on it, and the cluster as it sees it. With -o json it is what ' +
        '"ca rotate" on another node takes with --from.',
    );
  addFlags(self, [...nodeFlags, 'manifestsDir', 'kubeconfig', 'offline', ...commonFlags, 'output'], {
    kubeconfig: { says: 'to ask the cluster (default: the admin.conf of this node)' },
    offline: { says: 'ask neither the cluster nor what runs here' },
  }).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<StatusOptions & TerminalOptions>();
    const { showStatus } = await import('./status.ts');
    run.done(await showStatus(options, run.open(options)));
  });
  explain(self, {
    examples: ['kubepki ca status', 'ssh worker-1 kubepki ca status -o json > worker-1.json'],
    pages: ['cas', 'json'],
  });
}
