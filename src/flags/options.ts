import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDurationOption } from './duration-option.ts';
import { parseInstant } from './parse-instant.ts';
import { quietOption } from './quiet-option.ts';

export function dryRunOption(): Option {
  return new Option('--dry-run', 'show what would change, and change nothing');
}

export function keepBackupsOption(): Option {
  return keepAllBackupsOption('of how many changes to keep backups').default(5);
}

/** Of a command that removes none by itself. */
export function keepAllBackupsOption(
  description = 'of how many changes to keep backups (default: all)',
): Option {
  return new Option('--keep-backups <n>', description).argParser((value: string) => {
    const count = Number(value);
    if (/^\d+$/.test(value) && count >= 1 && count <= 10_000) return count;
    throw new InvalidArgumentError('use a whole number of 1 or more');
  });
}

export function lockTimeoutOption(): Option {
  return new Option('--lock-timeout <duration>', 'how long to wait for another run')
    .default(10_000, '10s')
    .argParser((value: string) => parseDurationOption(value, '10s or 2m'));
}

const besideOrDefault = 'beside the cert dir if there are any, else /etc/kubernetes';

/** Where a command differs. */
interface NodeFlagChoices {
  readonly kubeconfigDirDefault?: string;
  /** false: the command has a `--kubeconfig` of its own. */
  readonly kubeconfig?: boolean;
  /** Of a command that takes several. */
  readonly rootfs?: readonly Option[];
}

/** Those that say which node's files are meant. */
export function nodeOptions({
  kubeconfigDirDefault = besideOrDefault,
  kubeconfig = true,
  rootfs = [rootfsOption()],
}: NodeFlagChoices = {}): Option[] {
  // Accepted as kubeadm does, without effect: nothing is read from the cluster.
  const ignored = pathOption('--kubeconfig <file>', '').hideHelp();
  return [
    pathOption('--cert-dir <dir>', 'the certificates (default: /etc/kubernetes/pki)'),
    pathOption('--kubeconfig-dir <dir>', `the kubeconfigs (default: ${kubeconfigDirDefault})`),
    pathOption(
      '--config <file>',
      'a kubeadm configuration file, or the ConfigMap kubeadm-config as kubectl prints it',
    ),
    ...(kubeconfig ? [ignored] : []),
    ...rootfs,
  ];
}

export function addNodeOptions(command: Command, choices: NodeFlagChoices = {}): Command {
  command.allowExcessArguments(false);
  for (const option of nodeOptions(choices)) command.addOption(option);
  return command
    .addOption(quietOption())
    .addOption(new Option('-v, --v <level>').hideHelp())
    .option('--no-color', 'no colour, also on a terminal (as with NO_COLOR)');
}

export function rootfsOption(): Option {
  return pathOption('--rootfs <dir>', 'look up every absolute path below this directory');
}

export function pathOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) => {
    if (value === '') throw new InvalidArgumentError('it is empty');
    return value;
  });
}

/** The moment that stands for now. */
export function atOption(description: string): Option {
  return new Option('--at <time>', `${description} (RFC 3339, such as 2027-01-01T00:00:00Z)`).argParser(
    parseAt,
  );
}

function parseAt(value: string): Date {
  const instant = parseInstant(value);
  if (instant === undefined) throw new InvalidArgumentError('use RFC 3339, such as 2027-01-01T00:00:00Z');
  return instant;
}

export interface LockOptions {
  /** Milliseconds to wait for another run. */
  readonly lockTimeout: number;
}
