import { Argument, type Command } from 'commander';
import { restartOrder } from '../../catalog/catalog.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { commonFlags, leaseFlags, nodeFlags, restartFlags } from '../../flags/table.ts';
import type { RestartCommandOptions } from './restart.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addRestart(program: Command, run: Run): void {
  const command = program
    .command('restart')
    .summary('restart static pods, so that they use new certificates')
    .description(
      'Restarts the static pods of this control plane, one after the other: the manifest leaves the directory that the kubelet ' +
        'watches, the pod stops, the manifest returns. Then etcd and kube-apiserver are asked for the certificate they serve.',
    )
    .addArgument(
      offering(
        new Argument('[components...]', `which (default: all): ${restartOrder.join(', ')}`),
        restartOrder,
      ),
    );
  addFlags(
    command,
    [
      ...nodeFlags,
      'kubeconfig',
      ...commonFlags,
      ...restartFlags,
      ...leaseFlags,
      'force',
      'dryRun',
      'lockTimeout',
    ],
    {
      force: { says: 'stop etcd even if its cluster would lose its quorum' },
      kubeconfig: {
        says: "for the Lease (default: this node's admin.conf)",
      },
    },
  ).action(async (components: string[], _options, self: Command) => {
    const options = self.optsWithGlobals<RestartCommandOptions & TerminalOptions>();
    const { restart } = await import('./restart.ts');
    run.done(await restart(components, options, run.open(options)));
  });
  explain(command, {
    examples: [
      'kubepki restart --dry-run',
      'kubepki restart',
      'kubepki restart kube-apiserver',
      'kubepki restart etcd --stop-timeout 5m',
    ],
    notes: [
      'On Ctrl-C the manifest goes back at once, after a kill or a power cut with the next run or "kubepki certs recover". Exit code 8 if a component does not come back.',
    ],
    pages: ['restarts', 'exit-codes'],
  });
}
