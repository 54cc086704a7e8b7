import { type Command, Option } from 'commander';
import { shellWord } from '../errors/shell-word.ts';
import { pathOption, rootfsOption } from './options.ts';
import { outputOption, type OutputOption } from './output-option.ts';
import { quietOption } from './quiet-option.ts';

/** Of the commands that ask the cluster for its signing requests. */
export interface CsrOptions extends OutputOption {
  readonly kubeconfig?: string;
  readonly rootfs?: string;
}

export function addCsrOptions(command: Command): Command {
  return command
    .addOption(
      pathOption('--kubeconfig <file>', 'how to reach the cluster (default: /etc/kubernetes/admin.conf)'),
    )
    .addOption(outputOption())
    .addOption(rootfsOption())
    .addOption(quietOption())
    .addOption(new Option('-v, --v <level>').hideHelp())
    .option('--no-color', 'no colour, also on a terminal (as with NO_COLOR)');
}

/** The same flags again, for a command line in a hint. */
export function csrFlags({ kubeconfig, rootfs }: CsrOptions): string[] {
  const flags = [
    ['--kubeconfig', kubeconfig],
    ['--rootfs', rootfs],
  ] as const;
  return flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, shellWord(value)]));
}
