import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { signingFiles } from '../../inventory/look-ups.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import type { ChangeReport } from '../../operations/change/change-report.ts';
import { factsInUse } from '../../operations/change/facts-in-use.ts';
import { installReport, type InstallStage } from '../../operations/install/install-report.ts';
import { install, verifyInstalled } from '../../operations/install/install.ts';
import type { Installable, PlannedInstall } from '../../operations/install/plan-install.ts';
import { installLines, type ShownInstall } from '../../render/change/install.ts';
import { attempt } from '../../change/attempt.ts';
import { conclude, type Conclusion } from '../../change/conclude.ts';
import type { DeployHookOption } from '../../flags/deploy-hook-option.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { openNode, type Node, type NodeOptions } from '../../node/node-options.ts';
import { installable, planInstallRun, type InstallRun, type InstallSources } from './plan-install-run.ts';
import { csrDirectory, requireCsrDirectory, warnOfOpenDirectory } from '../../flags/csr-directory.ts';
import { noteAuthorities } from '../../change/note-authorities.ts';
import type { OutputOption } from '../../flags/output-option.ts';
import { realChanges } from '../../change/real-changes.ts';
import { requireRestartable, restartAfter } from '../../change/restart/restart-after.ts';
import type { Change } from '../../change/session.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { requireCertificateNames } from '../../flags/names/unknown-name.ts';
import { stateOf } from '../../node/waiting.ts';
import type { RestartAfterOptions } from '../../flags/restart-options.ts';

export interface InstallOptions extends RestartAfterOptions, InstallSources, OutputOption, DeployHookOption {
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

/** Brings signed certificates home. */
export async function installCertificates(
  names: readonly string[],
  options: InstallOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const named = parseNames(names, options);
  const node = await openNode(options, terminal);
  const conclusion = await installSelected(node, named, options, terminal);
  const restart = (): ReturnType<typeof restartAfter> => restartAfter(node, options, terminal);
  return conclude(conclusion, options, terminal, restart, stateOf(node));
}

async function installSelected(
  node: Node,
  named: Named,
  options: InstallOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  requireCsrDirectory(node, options);
  warnOfOpenDirectory(node, options, terminal);
  const directory = csrDirectory(node, options);
  return attempt(node, options, terminal, async (way): Promise<Conclusion> => {
    const now = new Date();
    const run = planInstallRun(node, named, options, now);
    const refused = refuse(run, named, { dryRun: way.dryRun, terminal });
    if (refused !== undefined) return refused;
    const change = changeOf(run);
    const names = change.certificates.map(({ name }) => name);
    requireRestartable(node, names, options);
    noteAuthorities(installablesOf(run.plan), terminal);
    const changes = realChanges(change.changes);
    const report = (backup: string | undefined): ChangeReport =>
      reportOf(run, named, { kind: 'made', backup, changes });
    const made = await way.make(change, { ...options, now, terminal, report });
    if (made.kind === 'interrupted') return made;
    const said =
      made.kind === 'rehearsed'
        ? reportOf(run, named, { kind: 'planned', backup: undefined, changes })
        : report(made.backup);
    return finished(run.plan, said, { named, directory });
  });
}

/** undefined: everything that waits. */
type Named = readonly CertificateSpec[] | undefined;

function parseNames(names: readonly string[], options: NodeOptions): Named {
  if (names.length === 0 || (names.length === 1 && names[0] === 'all')) return undefined;
  if (names.includes('all'))
    throw new KubepkiError('usage', '"all" stands alone, it cannot be combined with names');
  const allowed = ['all', ...installable.map(({ name }) => name)];
  requireCertificateNames(names, allowed, { verb: 'installed', options });
  return installable.filter(({ name }) => names.includes(name));
}

function refuse(
  run: InstallRun,
  named: Named,
  { dryRun, terminal }: { readonly dryRun: boolean; readonly terminal: Terminal },
): Conclusion | undefined {
  const { plan, strangers } = run;
  const errors = [
    ...plan.flatMap((planned) => (planned.status === 'refused' ? planned.errors : [])),
    ...strangers,
  ];
  // One unreadable file is seen from both sides.
  const lines = new Map(errors.map((error) => [error.oneLine, error] as const));
  for (const error of lines.values()) terminal.error(error);
  for (const { warnings } of installablesOf(plan)) for (const text of warnings) terminal.warning(text);
  if (lines.size === 0) return undefined;
  terminal.hint('nothing was changed: one refusal refuses the whole set');
  const report = reportOf(run, named, { kind: 'refused', dryRun, strangers });
  return { kind: 'finished', code: exitCodes.error, report, text: '' };
}

/** Unnamed, what nobody has asked for is not worth a word. */
function reportOf({ plan, inventory }: InstallRun, named: Named, stage: InstallStage): ChangeReport {
  const asked = named === undefined ? plan.filter(({ status }) => status !== 'idle') : plan;
  return installReport(asked, inventory, stage);
}

function changeOf({ plan, inventory, keysInUse, notCleared }: InstallRun): Change {
  const installables = installablesOf(plan);
  return {
    changes: install(installables, { inventory, keysInUse, notCleared }),
    signedBy: signingFiles(
      inventory,
      installables.map(({ spec }) => spec),
    ),
    certificates: installables.map(({ spec, chain: [leaf] }) => ({
      name: spec.name,
      old: factsInUse(inventory, spec),
      new: factsOf(leaf),
    })),
    verify: (readBack) => {
      for (const one of installables) verifyInstalled(one, readBack);
    },
  };
}

function finished(
  plan: readonly PlannedInstall[],
  report: ChangeReport,
  {
    named,
    directory,
  }: {
    readonly named: Named;
    readonly directory: string;
  },
): Conclusion {
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
            files: place.targets.map(({ path }) => path),
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
  const installables = installablesOf(plan);
  const installed = installables.length;
  const complete = named === undefined ? installed > 0 : installed === named.length;
  const { dryRun } = report;
  return {
    kind: 'finished',
    code: complete ? exitCodes.done : exitCodes.notRenewed,
    report,
    text: installLines(shown, { directory, dryRun }),
  };
}

function installablesOf(plan: readonly PlannedInstall[]): Installable[] {
  return plan.flatMap((planned) => (planned.status === 'installable' ? [planned.installable] : []));
}
