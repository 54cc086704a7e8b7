import { type Command, Option } from 'commander';
import { shellWord } from '../errors/shell-word.ts';
import { pathOption } from './options.ts';
import type { ClusterOptions } from '../node/ask-cluster.ts';

export function addClusterOptions(command: Command): Command {
  return command
    .addOption(
      pathOption(
        '--kubeconfig <file>',
        "to ask the cluster for kubeadm's configuration (default: the admin.conf of this node)",
      ),
    )
    .addOption(new Option('--offline', 'read nothing from the cluster'));
}

/** The same flags again, for a command line in a hint. */
export function clusterFlags({ kubeconfig, offline }: ClusterOptions): string[] {
  return [
    ...(kubeconfig === undefined ? [] : ['--kubeconfig', shellWord(kubeconfig)]),
    ...(offline === true ? ['--offline'] : []),
  ];
}
