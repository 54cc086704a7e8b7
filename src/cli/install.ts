import type { CertificateSpec } from '../catalog/catalog.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Inventory } from '../inventory/inventory.ts';
import { factsOf } from '../operations/certificate-facts.ts';
import { install, verifyInstalled } from '../operations/install.ts';
import { placeTargets, type Installable, type PlannedInstall } from '../operations/plan-install.ts';
import { installLines, type ShownInstall } from '../render/install.ts';
import { requireSafeTargets } from '../storage/safe-targets.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { openNode, type NodeOptions } from './node-options.ts';
import { installable, planInstallRun, type InstallRun, type InstallSources } from './plan-install-run.ts';
import { csrDirectory, requireCsrDirectory, warnOfOpenDirectory } from './csr-directory.ts';
import { noteRestarts } from './restarts.ts';
import { makeChange, underLock, type Change, type LockOptions } from './session.ts';
import type { Terminal } from './terminal.ts';
import { noteWaiting } from './waiting.ts';

export interface InstallOptions extends NodeOptions, LockOptions, InstallSources {
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

/** Brings signed certificates home. */
export async function installCertificates(
  names: readonly string[],
  options: InstallOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const named = parseNames(names);
  const node = await openNode(options, terminal);
  requireCsrDirectory(node, options);
  warnOfOpenDirectory(node, options, terminal);
  if (options.dryRun === true) {
    noteWaiting(node, terminal);
    const run = planInstallRun(node, named, options, new Date());
    if (refuse(run, terminal)) return exitCodes.error;
    const installables = installablesOf(run.plan);
    requireSafeTargets(
      node.layout.root,
      installables.flatMap(({ place }) => placeTargets(place)),
    );
    return report(run.plan, { named, directory: csrDirectory(node, options), terminal, dryRun: true });
  }
  return underLock(node, options, terminal, async (state) => {
    const now = new Date();
    const run = planInstallRun(node, named, options, now);
    if (refuse(run, terminal)) return exitCodes.error;
    const change = changeOf(run);
    const made = await makeChange(state, change, { keepBackups: options.keepBackups, now, terminal });
    if (made.kind === 'interrupted') return made.code;
    return report(run.plan, { named, directory: csrDirectory(node, options), terminal, dryRun: false });
  });
}

/** @returns undefined: everything that waits */
function parseNames(names: readonly string[]): readonly CertificateSpec[] | undefined {
  if (names.length === 0 || (names.length === 1 && names[0] === 'all')) return undefined;
  if (names.includes('all'))
    throw new KubepkiError('usage', '"all" stands alone, it cannot be combined with names');
  const unknown = names.find((name) => !installable.some((spec) => spec.name === name));
  if (unknown !== undefined) {
    throw new KubepkiError('usage', `unknown certificate ${JSON.stringify(unknown)}`, {
      hint: `use one of: all, ${installable.map(({ name }) => name).join(', ')}`,
    });
  }
  return installable.filter(({ name }) => names.includes(name));
}

function refuse({ plan, strangers }: InstallRun, terminal: Terminal): boolean {
  const errors = [
    ...plan.flatMap((planned) => (planned.status === 'refused' ? planned.errors : [])),
    ...strangers,
  ];
  // One unreadable file is seen from both sides.
  const lines = new Map(errors.map((error) => [error.line, error] as const));
  for (const error of lines.values()) terminal.error(error);
  for (const { warnings } of installablesOf(plan)) for (const text of warnings) terminal.warning(text);
  if (lines.size > 0) terminal.hint('nothing was changed: one refusal refuses the whole set');
  return lines.size > 0;
}

function changeOf({ plan, inventory, keysInUse, notCleared }: InstallRun): Change {
  const installables = installablesOf(plan);
  return {
    changes: install(installables, { inventory, keysInUse, notCleared }),
    certificates: installables.map(({ spec, chain: [leaf] }) => ({
      name: spec.name,
      old: certificateInUse(inventory, spec),
      new: factsOf(leaf),
    })),
    verify: (readBack) => {
      for (const one of installables) verifyInstalled(one, readBack);
    },
  };
}

function certificateInUse(
  inventory: Inventory,
  spec: CertificateSpec,
): ReturnType<typeof factsOf> | undefined {
  const entry = inventory.certificates.find((candidate) => candidate.spec === spec);
  return entry?.state.status === 'present' ? factsOf(entry.state.value.chain[0]) : undefined;
}

function report(
  plan: readonly PlannedInstall[],
  {
    named,
    directory,
    terminal,
    dryRun,
  }: {
    readonly named: readonly CertificateSpec[] | undefined;
    readonly directory: string;
    readonly terminal: Terminal;
    readonly dryRun: boolean;
  },
): ExitCode {
  const shown = plan.flatMap((planned): ShownInstall[] => {
    const { longName } = planned.spec;
    switch (planned.status) {
      case 'installable': {
        const { place, chain, inPlace } = planned.installable;
        return [
          {
            status: inPlace ? 'in-place' : 'installed',
            longName,
            notAfter: chain[0].notAfter,
            files: placeTargets(place).map(({ path }) => path),
          },
        ];
      }
      case 'pending':
        return [{ status: 'pending', longName, certificate: planned.certificatePath }];
      case 'idle':
        return named === undefined ? [] : [{ status: 'idle', longName }];
      case 'refused':
        throw new TypeError('a refused certificate is never reported as installed');
    }
  });
  terminal.result(installLines(shown, { directory, dryRun }));
  const installables = installablesOf(plan);
  const installed = installables.map(({ spec }) => spec);
  // What was in place already may well be what they run with.
  const changed = installables.filter(({ inPlace }) => !inPlace).map(({ spec }) => spec);
  if (!dryRun) noteRestarts(changed, terminal);
  const complete = named === undefined ? installed.length > 0 : installed.length === named.length;
  return complete ? exitCodes.done : exitCodes.notRenewed;
}

function installablesOf(plan: readonly PlannedInstall[]): Installable[] {
  return plan.flatMap((planned) => (planned.status === 'installable' ? [planned.installable] : []));
}
