import { Argument, type Command } from 'commander';
import { initSpecs } from '../../catalog/init-order.ts';
import { addFlags, explain, offering } from '../../flags/command.ts';
import { commonFlags, nodeFlags } from '../../flags/table.ts';
import type { GenerateOptions } from './generate.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addGenerate(certs: Command, run: Run): void {
  const command = certs
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
    );
  addFlags(command, [...nodeFlags, ...commonFlags], {
    kubeconfigDir: { says: 'the kubeconfigs (default: /etc/kubernetes)' },
  });
  addFlags(command, ['nodeName', 'advertiseAddress', 'controlPlaneEndpoint', 'serviceCidr', 'dnsDomain']);
  addFlags(command, ['certExtraSans', 'validity', 'compat', 'at'], {
    at: { says: 'make certificates as if at this moment (RFC 3339, such as 2027-01-01T00:00:00Z)' },
  });
  addFlags(command, ['output', 'dryRun', 'keepBackups', 'lockTimeout']).action(
    async (names: string[], _options, command: Command) => {
      const options = command.optsWithGlobals<GenerateOptions & TerminalOptions>();
      const { generateMissing } = await import('./generate.ts');
      run.done(await generateMissing(names, options, run.open(options)));
    },
  );
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
