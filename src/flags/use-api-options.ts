import { InvalidArgumentError, Option } from 'commander';
import { formatGoDuration } from '../config/duration.ts';
import { KubepkiError } from '../errors/error.ts';
import { isSignerName } from '../operations/use-api/signer-name.ts';
import { clusterFlags } from './cluster-options.ts';
import { parseDurationOption } from './duration-option.ts';
import { deployHookFlags, type DeployHookOption } from './deploy-hook-option.ts';
import type { OutputOption } from './output-option.ts';
import type { WithinOption } from './period-option.ts';
import { restartAfterFlags, type RestartAfterOptions } from './restart-options.ts';
import { sanFlags, type SanOptions } from './san-options.ts';
import { validityFlags, type ValidityOption } from './validity-option.ts';
import type { LockOptions } from './options.ts';
import type { ClusterOptions } from '../node/ask-cluster.ts';

/** As commander names them. */
interface ApiFlags {
  readonly useApi?: boolean;
  readonly signerName?: string;
  readonly approve?: boolean;
  /** Milliseconds. */
  readonly timeout?: number;
  readonly resume?: boolean;
  readonly discardPending?: boolean;
}

export interface ApiOptions
  extends
    ApiFlags,
    RestartAfterOptions,
    ClusterOptions,
    ValidityOption,
    SanOptions,
    WithinOption,
    OutputOption,
    DeployHookOption,
    LockOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

const defaultTimeoutMs = 5 * 60_000;

export function apiOptions(): Option[] {
  return [
    new Option('--use-api', "have them signed through the cluster's certificates API instead"),
    new Option(
      '--signer-name <signer>',
      'with --use-api: who is to sign (default: kubernetes.io/kube-apiserver-client)',
    ).argParser((text: string): string => {
      if (isSignerName(text)) return text;
      throw new InvalidArgumentError('use a domain and a path, such as clusterissuers.cert-manager.io/NAME');
    }),
    new Option('--approve', 'with --use-api: approve the requests too'),
    new Option(
      '--timeout <duration>',
      'with --use-api: how long to wait for the certificates (default: 5m)',
    ).argParser((text: string): number => {
      const milliseconds = parseDurationOption(text, '90s or 10m');
      if (milliseconds > 0) return milliseconds;
      throw new InvalidArgumentError('it must be more than 0');
    }),
    new Option('--resume', 'with --use-api: go on with the requests that wait'),
    new Option('--discard-pending', 'with --use-api: give up the requests that wait, and their keys'),
  ];
}

export function timeoutOf({ timeout }: ApiFlags): { readonly milliseconds: number; readonly text: string } {
  const milliseconds = timeout ?? defaultTimeoutMs;
  const text = milliseconds < 1000 ? `${String(milliseconds)}ms` : formatGoDuration(milliseconds);
  return { milliseconds, text: text.replace(/(?<=m)0s$/, '').replace(/(?<=h)0m$/, '') };
}

/** @throws KubepkiError usage for what goes with --use-api only */
export function requireNoApiFlags(options: ApiFlags): void {
  const given: readonly (readonly [string, unknown])[] = [
    ['--signer-name', options.signerName],
    ['--approve', options.approve],
    ['--timeout', options.timeout],
    ['--resume', options.resume],
    ['--discard-pending', options.discardPending],
  ];
  const flag = given.find(([, value]) => value !== undefined)?.[0];
  if (flag !== undefined) throw new KubepkiError('usage', `${flag} goes with --use-api`);
}

/** @throws KubepkiError usage for what does not go with --use-api, or with going on */
export function requireApiFlags(
  options: ApiOptions & { readonly csrOnly?: boolean; readonly csrDir?: string },
): void {
  const refuse = (flag: string, other: string, hint?: string): never => {
    throw new KubepkiError('usage', `${flag} does not go with ${other}`, { hint });
  };
  if (options.csrOnly === true) {
    refuse('--csr-only', '--use-api', 'with --use-api the cluster is asked, and nobody carries a CSR');
  }
  if (options.csrDir !== undefined) refuse('--csr-dir', '--use-api');
  if (options.offline === true) refuse('--offline', '--use-api', 'the certificates API is the cluster');
  const way = options.resume === true ? '--resume' : '--discard-pending';
  if (options.resume !== true && options.discardPending !== true) return;
  if (options.resume === true && options.discardPending === true) refuse('--resume', '--discard-pending');
  const decided: readonly (readonly [string, unknown])[] = [
    ['--signer-name', options.signerName],
    ['--validity', options.validity],
    ['--within', options.within],
    ['--add-san', options.addSan],
    ['--remove-san', options.removeSan],
    ['--sans-from-config', options.sansFromConfig],
    ['--force', options.force],
    ['--dry-run', options.dryRun],
    ...(options.discardPending === true
      ? ([
          ['--approve', options.approve],
          ['--timeout', options.timeout],
          ['--restart', options.restart],
          ['--deploy-hook', options.deployHook],
        ] as const)
      : []),
  ];
  const flag = decided.find(([, value]) => value !== undefined)?.[0];
  if (flag !== undefined)
    refuse(
      flag,
      way,
      options.resume === true ? 'what was asked for was decided when it was asked' : undefined,
    );
}

/** What a run that goes on with it must be told again. */
export function resumeFlags(options: ApiOptions): string[] {
  return [...clusterFlags(options), ...restartAfterFlags(options), ...deployHookFlags(options)];
}

/** The same flags again, for a command line in a hint. */
export function apiFlags(options: ApiOptions): string[] {
  return [
    '--use-api',
    ...(options.signerName === undefined ? [] : ['--signer-name', options.signerName]),
    ...(options.approve === true ? ['--approve'] : []),
    ...(options.timeout === undefined ? [] : ['--timeout', timeoutOf(options).text]),
    ...sanFlags(options),
    ...validityFlags(options),
    ...resumeFlags(options),
  ];
}
