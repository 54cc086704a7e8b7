import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { changeFlags, commonFlags, nodeFlags, restartAfterFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { CaRollbackOptions } from './ca-rollback.ts';

export function addCaRollback(ca: Command, run: Run): void {
  const self = ca
    .command('rollback')
    .summary('take the last stage of a rotation back on this node')
    .description(
      'Takes the last stage of the rotation back on this node: the files are as they were before it. It refuses while another node is further ' +
        'than that stage. After "finish" has destroyed the old keys there is no way back.',
    );
  addFlags(self, [...nodeFlags, ...commonFlags, ...restartAfterFlags]);
  addFlags(self, ['force', 'from', 'accept', 'kubeconfig', 'offline', ...changeFlags], {
    force: { says: 'even if certificates come back that have expired' },
    accept: { says: 'nodes: your word that no other node is further than the stage that is taken back' },
    kubeconfig: { says: 'to ask the cluster (default: the admin.conf of this node)' },
    offline: { says: 'do not ask the cluster which nodes there are, and change nothing in it' },
    keepBackups: { says: undefined, default: undefined },
  }).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<CaRollbackOptions & TerminalOptions>();
    const { rollBackStage } = await import('./ca-rollback.ts');
    run.done(await rollBackStage(options, run.open(options)));
  });
  explain(self, {
    examples: [
      'kubepki ca rollback --dry-run --from cp-2.json,cp-3.json,worker-1.json',
      'kubepki ca rollback --restart --from cp-2.json,cp-3.json,worker-1.json',
    ],
    pages: ['cas', 'undo', 'restarts'],
  });
}
