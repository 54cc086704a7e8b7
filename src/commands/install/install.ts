import type { CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { installReport } from '../../operations/install/install-report.ts';
import { install } from '../../operations/install/install.ts';
import type { Installable, PlannedInstall } from '../../operations/install/plan-install.ts';
import { installLines, type ShownInstall } from '../../render/change/install.ts';
import { changeNode, type ChangeFlags, type PlannedRun } from '../../change/change-node.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { openNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import { installable, planInstallRun, type InstallRun, type InstallSources } from './plan-install-run.ts';
import { csrDirectory, requireCsrDirectory, warnOfOpenDirectory } from '../../node/csr-directory.ts';
import { noteAuthorities } from '../../change/notes.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { requireCertificateNames } from '../../flags/names/unknown-name.ts';

export interface InstallOptions extends ChangeFlags, InstallSources {
  readonly keepBackups: number;
}

/** Brings signed certificates home. */
export async function installCertificates(
  names: readonly string[],
  options: InstallOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const named = parseNames(names, options);
  const node = openNode(options, await readConfiguration(options, terminal));
  requireCsrDirectory(node, options);
  warnOfOpenDirectory(node, options, terminal);
  const directory = csrDirectory(node, options);
  const plan = (): PlannedRun => {
    const now = new Date();
    return decided(planInstallRun(node, named, options, now), { named, directory, now, terminal });
  };
  return changeNode(node, plan, options, terminal, { inUse: true });
}

interface Context {
  readonly named: Named;
  readonly directory: string;
  readonly now: Date;
  readonly terminal: Terminal;
}

function decided(run: InstallRun, { named, directory, now, terminal }: Context): PlannedRun {
  const { plan, inventory, strangers } = run;
  const installables = installablesOf(plan);
  const warn = (): void => {
    for (const { warnings } of installables) for (const text of warnings) terminal.warning(text);
  };
  return {
    now,
    errors: errorsOf(run),
    onRefusal: () => {
      warn();
      terminal.hint('nothing was changed: one refusal refuses the whole set');
    },
    beforehand: () => {
      warn();
      noteAuthorities(installables, terminal);
    },
    names: installables.map(({ spec }) => spec.name),
    make: () => Promise.resolve(install(installables, run)),
    report: (stage) => {
      // Unnamed, a certificate that was not asked for is not worth a word.
      const asked = named === undefined ? plan.filter(({ status }) => status !== 'idle') : plan;
      return installReport(asked, inventory, strangers, stage);
    },
    text: ({ dryRun }) => installLines(shownIn(plan, named), { directory, dryRun }),
    asked: { named: named !== undefined },
  };
}

/** One unreadable file is seen from both sides. */
function errorsOf({ plan, strangers }: InstallRun): KubepkiError[] {
  const errors = [
    ...plan.flatMap((planned) => (planned.status === 'refused' ? planned.errors : [])),
    ...strangers,
  ];
  return [...new Map(errors.map((error) => [error.oneLine, error] as const)).values()];
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

function shownIn(plan: readonly PlannedInstall[], named: Named): ShownInstall[] {
  return plan.flatMap((planned): ShownInstall[] => {
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
}

function installablesOf(plan: readonly PlannedInstall[]): Installable[] {
  return plan.flatMap((planned) => (planned.status === 'installable' ? [planned.installable] : []));
}
