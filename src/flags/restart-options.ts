import { Option } from 'commander';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { parseDurationOption } from './duration-option.ts';
import { pathOption, type LockOptions } from './options.ts';
import type { NodeOptions } from '../node/node-options.ts';

/** As typed. All times in milliseconds. */
export interface RestartFlags {
  readonly manifestsDir?: string;
  /** undefined: as long as the kubelet takes to look. */
  readonly settle?: number;
  readonly stopTimeout?: number;
  readonly startTimeout?: number;
}

/** What a restart goes by. */
export type RestartOptions = RestartFlags & Required<Pick<RestartFlags, 'stopTimeout' | 'startTimeout'>>;

const defaultTimeouts = { stopTimeout: 180_000, startTimeout: 300_000 };

export function restartOptions(): Option[] {
  return [
    pathOption(
      '--manifests-dir <dir>',
      'the manifests of the static pods (default: manifests/ in the kubeconfig dir)',
    ),
    durationOption(
      '--settle <duration>',
      "how long a manifest stays away at least (default: the kubelet's fileCheckFrequency, 20s)",
    ),
    // No defaults of commander's: an earlier run's restart that is made up for has its own.
    durationOption('--stop-timeout <duration>', 'how long a stop may take (default: 3m)'),
    durationOption('--start-timeout <duration>', 'how long a start may take (default: 5m)'),
  ];
}

/** The flags that were typed, else those that an earlier run has left with its restarts, else the defaults. */
export function restartTerms<T extends RestartFlags>(typed: T, left: RestartFlags): T & RestartOptions {
  return { ...defaultTimeouts, ...left, ...typed };
}

/** For a command that may restart what it has changed. */
export function restartAfterOptions(): Option[] {
  return [new Option('--restart', 'then restart what uses the changed certificates'), ...restartOptions()];
}

/** The same flags again, for a command line in a hint. */
export function restartAfterFlags({
  restart,
  ...flags
}: RestartFlags & { readonly restart?: boolean }): string[] {
  return restart === true ? ['--restart', ...restartFlags(flags)] : [];
}

export function restartFlags({ manifestsDir, settle, stopTimeout, startTimeout }: RestartFlags): string[] {
  const times = [
    ['--settle', settle],
    ['--stop-timeout', stopTimeout],
    ['--start-timeout', startTimeout],
  ] as const;
  return [
    ...(manifestsDir === undefined ? [] : ['--manifests-dir', shellWord(manifestsDir)]),
    ...times.flatMap(([flag, value]) => (value === undefined ? [] : [flag, `${String(value)}ms`])),
  ];
}

/** @throws KubepkiError usage for times of a restart that nobody asked for */
export function requireRestartAsked(options: RestartFlags & { readonly restart?: boolean }): void {
  if (options.settle === undefined || options.restart === true) return;
  throw new KubepkiError('usage', '--settle goes with --restart');
}

/** @throws KubepkiError usage */
export function requireTimes({ stopTimeout }: RestartOptions, settleMs: number): void {
  if (settleMs < stopTimeout) return;
  throw new KubepkiError('usage', '--stop-timeout must be longer than --settle', {
    hint: 'a manifest stays away for the whole of --settle, so nothing could be seen to stop',
  });
}

function durationOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string) => parseDurationOption(value, '20s or 3m'));
}

/** Of a command that may restart what it has changed. */
export interface RestartAfterOptions extends NodeOptions, LockOptions, RestartFlags {
  readonly restart?: boolean;
}
