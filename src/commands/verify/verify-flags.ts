import type { Command } from 'commander';
import { addFlags, explain } from '../../flags/command.ts';
import { commonFlags, documentFlags } from '../../flags/table.ts';
import { directories, oneOf, period } from '../../flags/values.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import type { VerifyOptions } from './verify.ts';

export function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .summary("what is wrong in this node's PKI, and what mends it")
    .description(
      "Looks at everything in this node's PKI: certificates, keys, kubeconfigs, manifests and the kubelet's files. Says what is wrong, and what mends it. Changes nothing.",
    );
  addFlags(
    command,
    ['certDir', 'kubeconfigDir', 'config', 'kubeconfig', 'rootfs', 'rootfsFrom', ...commonFlags],
    {
      kubeconfig: { says: "to ask the cluster (default: this node's admin.conf)" },
      rootfs: {
        syntax: '--rootfs <dir...>',
        says: 'look up absolute paths below this, or each',
        ...directories,
      },
    },
  );
  addFlags(
    command,
    [
      'live',
      'endpoint',
      'cluster',
      'kubeconfigFile',
      'cis',
      'certsOnly',
      'within',
      'at',
      'manifestsDir',
      'output',
      ...documentFlags,
    ],
    {
      from: {
        syntax: '--from <files...>',
        says: 'what other nodes print with -o json: FILE, DIR, -',
      },
      within: {
        says: 'exit 4 if a certificate ends so soon',
        default: period.parse('30d'),
        defaultText: '30d',
      },
      output: {
        says: 'text, json, yaml, junit or github',
        ...oneOf('text', 'json', 'yaml', 'junit', 'github'),
      },
    },
  ).action(async (_options, self: Command) => {
    const options = self.optsWithGlobals<VerifyOptions & TerminalOptions>();
    const { verify } = await import('./verify.ts');
    run.done(await verify(options, run.open(options)));
  });
  explain(command, {
    examples: [
      'kubepki verify',
      'kubepki verify --live --cluster',
      'kubepki verify --from nodes/ --expect cp-1,cp-2,cp-3',
      'kubepki verify -o junit --rootfs ci/node > kubepki.xml',
    ],
    notes: ['Exit code 5 if something is wrong, else 4 if it ends soon, else 1 if unchecked.'],
    pages: ['verification', 'exit-codes'],
  });
}
