import type { Command } from 'commander';
import { addFlags } from '../../flags/command.ts';
import { commonFlags, retyped, type FlagName, type Typed } from '../../flags/table.ts';

/** Of the commands that ask the cluster for its signing requests. */
export type CsrOptions = Typed<'kubeconfig' | 'rootfs' | 'output'>;

export function addCsrFlags(
  command: Command,
  names: readonly FlagName[] = [],
  own: Parameters<typeof addFlags>[2] = {},
): Command {
  const flags = ['kubeconfig', 'output', 'rootfs', ...commonFlags, ...names] as const;
  const says = 'how to reach the cluster (default: /etc/kubernetes/admin.conf)';
  return addFlags(command, flags, { kubeconfig: { says }, ...own });
}

/** The command that shows the requests, for a hint. */
export function listCommand(options: CsrOptions): string {
  return ['kubepki csr list', ...retyped(options, ['kubeconfig', 'rootfs'])].join(' ');
}
