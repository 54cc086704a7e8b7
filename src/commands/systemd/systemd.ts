import { dirname, isAbsolute, join, resolve } from 'node:path';
import { certificates } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Layout } from '../../inventory/layout.ts';
import {
  isExpressible,
  allUnits,
  unitNames,
  unitText,
  type UnitName,
  type UnitSettings,
} from '../../render/systemd-units.ts';
import { printable } from '../../render/printable.ts';
import { writePublicFiles } from '../../storage/public-file.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { planNode, type NodeOptions, readConfiguration } from '../../node/node-options.ts';
import { programWords } from './program-words.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** What `renew` takes is here as it was typed, having been understood once. */
export interface SystemdOptions extends NodeOptions {
  readonly within: string;
  readonly restart?: boolean;
  readonly settle?: string;
  readonly stopTimeout?: string;
  readonly startTimeout?: string;
  readonly validity?: string;
  readonly keepBackups?: string;
  readonly lockTimeout?: string;
  readonly lease: boolean;
  readonly leaseTimeout?: string;
  readonly textfile?: string;
  readonly deployHook?: string;
  readonly calendar: string;
  /** In milliseconds. */
  readonly randomizedDelay: number;
  readonly exec?: string;
  readonly unit?: UnitName;
  readonly outputDir?: string;
  /** Replaces units that say something else. */
  readonly force?: boolean;
}

export async function printUnits(given: SystemdOptions, terminal: Terminal): Promise<ExitCode> {
  const options = withAbsolutePaths(given);
  const { layout } = planNode(options, await readConfiguration(options, terminal));
  const settings = unitSettings(options, layout);
  const { unit, outputDir, force = false } = options;
  if (outputDir === undefined) {
    terminal.result(unit === undefined ? allUnits(settings) : unitText(unit, settings));
    return exitCodes.done;
  }
  const names = unit === undefined ? unitNames : [unit];
  const files = names.map((name) => ({ name, text: unitText(name, settings) }));
  const written = writePublicFiles(resolve(outputDir), files, { force });
  terminal.result(written.map(({ path, outcome }) => `${outcome}: ${printable(path)}\n`).join(''));
  terminal.hint(
    `systemctl daemon-reload && systemctl enable --now kubepki-renew.timer && systemctl enable kubepki-recover.service`,
  );
  return exitCodes.done;
}

const pathFlags = ['certDir', 'kubeconfigDir', 'config', 'manifestsDir', 'textfile'] as const;

/** A service runs in `/`. @throws KubepkiError usage */
function withAbsolutePaths(options: SystemdOptions): SystemdOptions {
  const absolute = { ...options };
  for (const flag of pathFlags) {
    const path = options[flag];
    if (path === undefined || isAbsolute(path)) continue;
    if (options.rootfs !== undefined) {
      throw new KubepkiError('usage', 'is a relative path, and with --rootfs that is not below it', {
        file: path,
        hint: 'write it as it is below --rootfs, with a slash at its beginning',
      });
    }
    absolute[flag] = resolve(path);
  }
  return options.rootfs === undefined ? absolute : { ...absolute, rootfs: resolve(options.rootfs) };
}

function unitSettings(options: SystemdOptions, layout: Layout): UnitSettings {
  const program = options.exec === undefined ? programWords(process) : [resolve(options.exec)];
  const { certDir, kubeconfigDir, config, rootfs, deployHook, textfile } = options;
  const flags = (pairs: Readonly<Record<string, string | undefined>>): string[] =>
    Object.entries(pairs).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}`, value]));
  const node = flags({ 'cert-dir': certDir, 'kubeconfig-dir': kubeconfigDir, config, rootfs });
  // Recovery needs no configuration but to find the directory: one that is wrong must not stand in its way.
  const directories = flags({
    'cert-dir': certDir,
    'kubeconfig-dir': kubeconfigDir,
    config: certDir === undefined ? config : undefined,
    rootfs,
  });
  const renewFlags = flags({
    within: options.within,
    validity: options.validity,
    'keep-backups': options.keepBackups,
    'lock-timeout': options.lockTimeout,
    'manifests-dir': options.manifestsDir,
    settle: options.settle,
    'stop-timeout': options.stopTimeout,
    'start-timeout': options.startTimeout,
    'lease-timeout': options.leaseTimeout,
    textfile,
    'deploy-hook': deployHook,
  });
  const restart = options.restart === true ? ['--restart', ...(options.lease ? [] : ['--no-lease'])] : [];
  const writable = outermost([
    ...writtenDirectories(layout, options),
    ...(textfile === undefined ? [] : resolvedToo(layout, dirname(layout.root.locate(textfile)))),
  ]);
  for (const path of [layout.certDir, ...writable]) requireExpressible(path);
  // The unit has no network then: it must not depend on what that does to a question.
  const isolated = options.restart !== true && deployHook === undefined && config === undefined;
  const offline = isolated ? ['--offline'] : [];
  const renew = [
    ...program,
    'certs',
    'renew',
    'all',
    ...renewFlags,
    ...restart,
    ...node,
    ...offline,
    '--quiet',
  ];
  const paths = [...program, config, rootfs, layout.certDir, ...writable];
  return {
    renew,
    recover: [...program, 'certs', 'recover', ...directories, '--quiet'],
    // systemd looks it up below /, and knows no --rootfs.
    certDir: rootfs === undefined ? layout.certDir : layout.root.resolve(layout.certDir),
    writable,
    restarts: options.restart === true,
    hook: deployHook !== undefined,
    privateTmp: !paths.some((path) => path !== undefined && /^\/(?:var\/)?tmp(?:\/|$)/.test(path)),
    calendar: options.calendar,
    randomizedDelay: Math.round(options.randomizedDelay / 1000),
  };
}

/** The state is in the cert dir, a lock in the kubeconfig dir. What is a symlink today is followed, as a renewal does. */
function writtenDirectories(layout: Layout, { kubeconfigDir }: SystemdOptions): readonly string[] {
  const { certDir, manifestsDir, root } = layout;
  const beside = dirname(certDir);
  const kubeconfigDirs =
    kubeconfigDir === undefined ? [beside, root.locate('/etc/kubernetes')] : [layout.kubeconfigDir];
  const files = certificates.flatMap((spec) =>
    spec.kind === 'leaf'
      ? [`${spec.baseName}.crt`, `${spec.baseName}.key`].map((name) => join(certDir, name))
      : kubeconfigDirs.map((directory) => join(directory, spec.name)),
  );
  return [
    ...[certDir, ...kubeconfigDirs, manifestsDir].flatMap((directory) => resolvedToo(layout, directory)),
    ...files.map((file) => dirname(root.resolve(file))),
  ];
}

function resolvedToo({ root }: Layout, directory: string): readonly string[] {
  return [directory, root.resolve(directory)];
}

/** systemd would make each a mount of its own, and a file cannot be renamed from one into another. */
function outermost(paths: readonly string[]): readonly string[] {
  const unique = [...new Set(paths)].sort();
  return unique.filter((path) => !unique.some((other) => other !== path && isWithin(path, other)));
}

function isWithin(path: string, directory: string): boolean {
  return path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

/** @throws KubepkiError usage */
function requireExpressible(path: string): void {
  if (isExpressible(path)) return;
  throw new KubepkiError(
    'usage',
    'cannot be written in a unit: a quote, a backslash or a control character',
    {
      file: path,
      hint: 'give the directory another name, or name a symlink to it',
    },
  );
}
