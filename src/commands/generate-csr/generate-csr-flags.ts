import type { Command } from 'commander';
import type { GenerateCsrOptions } from './generate-csr.ts';
import { addFlags, explain } from '../../flags/command.ts';
import { commonFlags, nodeFlags } from '../../flags/table.ts';
import type { Run, TerminalOptions } from '../../terminal/terminal.ts';

export function addGenerateCsr(certs: Command, run: Run): void {
  const command = certs
    .command('generate-csr')
    .summary('make keys and CSRs for a new control plane')
    .description(
      'Makes keys and CSRs for all control-plane certificates from the kubeadm configuration, before any certificate exists, ' +
        'and kubeconfigs that hold their key. Nothing that is there is overwritten.',
    );
  addFlags(
    command,
    [...nodeFlags, ...commonFlags, 'compat', 'output', 'dryRun', 'keepBackups', 'lockTimeout'],
    { kubeconfigDir: { says: 'the kubeconfigs (default: /etc/kubernetes)' } },
  ).action(async (_options, command: Command) => {
    const options = command.optsWithGlobals<GenerateCsrOptions & TerminalOptions>();
    const { generateRequests } = await import('./generate-csr.ts');
    run.done(await generateRequests(options, run.open(options)));
  });
  explain(command, {
    examples: [
      'kubepki certs generate-csr --config kubeadm.yaml',
      'kubepki certs generate-csr --cert-dir /tmp/k8s/pki --kubeconfig-dir /tmp/k8s',
    ],
    notes: [
      "What the configuration leaves out is kubeadm's default; the node's name and address are then this machine's, with --rootfs what the files there say. Have the CSRs signed, put each certificate beside its CSR (etcd/server.crt, admin.conf.crt), then: kubepki certs install",
    ],
    pages: ['generate', 'external-ca', 'configuration'],
  });
}
