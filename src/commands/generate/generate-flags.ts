import { Argument, Option, type Command } from 'commander';
import { initSpecs } from '../../catalog/init-order.ts';
import { compatOption } from '../../flags/compat-option.ts';
import { explain } from '../../flags/help/explain.ts';
import { offering } from '../../flags/names/offering.ts';
import type { GenerateOptions } from './generate.ts';
import {
  addNodeOptions,
  atOption,
  dryRunOption,
  keepBackupsOption,
  lockTimeoutOption,
} from '../../flags/options.ts';
import { outputOption } from '../../flags/output-option.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';
import { validityOption } from '../../flags/validity-option.ts';

export function addGenerate(certs: Command, run: Run): void {
  const command = addNodeOptions(
    certs
      .command('generate')
      .summary('make what is missing of a control plane')
      .description(
        'Makes the CAs, the certificates, the service-account key and the kubeconfigs that "kubeadm init" makes, where they are ' +
          'missing. What is there is checked and used, and never changed; your own CA signs the rest.',
      )
      .addArgument(
        offering(new Argument('[names...]', 'all (the default), kubeconfigs, or names from the list below'), [
          'all',
          'kubeconfigs',
          ...initSpecs.map((spec) => ({
            word: spec.name,
            description: spec.kind === 'service-account' ? 'the service-account key' : spec.longName,
          })),
        ]),
      ),
    // kubeadm's default here, and no --kubeconfig.
    { kubeconfigDirDefault: '/etc/kubernetes', kubeconfig: false },
  )
    .option(
      '--node-name <name>',
      'the name of this node (default: its host name; with --rootfs what the files there say)',
    )
    .option(
      '--advertise-address <ip>',
      'the address of this API server (default: an address of this machine; with --rootfs what the files there say)',
    )
    .option('--control-plane-endpoint <host[:port]>', 'the address that all nodes use')
    .option('--service-cidr <cidrs>', 'the service subnets (default: 10.96.0.0/12)')
    .option('--dns-domain <name>', 'the DNS domain of services (default: cluster.local)')
    .addOption(
      new Option(
        '--cert-extra-sans <names>',
        'more names and addresses for the API server, with commas between',
      ).argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]),
    )
    .addOption(validityOption())
    .addOption(compatOption())
    .addOption(atOption('make certificates as if at this moment'))
    .addOption(outputOption())
    .addOption(dryRunOption())
    .addOption(keepBackupsOption())
    .addOption(lockTimeoutOption())
    .action(async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GenerateOptions & TerminalOptions>();
      const { generateMissing } = await import('./generate.ts');
      run.done(await generateMissing(names, options, run.open(options)));
    });
  explain(command, {
    examples: [
      'kubepki certs generate --config kubeadm.yaml',
      'kubepki certs generate apiserver --config kubeadm.yaml',
      'kubepki certs generate all --cert-dir ci/pki --kubeconfig-dir ci --node-name ci --advertise-address 127.0.0.1',
    ],
    notes: [`Names: all, kubeconfigs, ${initSpecs.map(({ name }) => name).join(', ')}.`],
    pages: ['generate', 'configuration'],
  });
}
