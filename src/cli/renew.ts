import { factsOf } from '../operations/certificate-facts.ts';
import { targetsOf, type PlannedRenewal, type Renewable } from '../operations/plan-renewal.ts';
import { changedTargets, renew, type Renewed } from '../operations/renew.ts';
import { renewalReport, type RenewalStage } from '../operations/renewal-report.ts';
import { endsFirstWarnings, renewalWarnings } from '../operations/renewal-warnings.ts';
import { verifyRenewed } from '../operations/verify-renewal.ts';
import { randomSerialNumber } from '../pki/issue.ts';
import { dryRunLines } from '../render/dry-run.ts';
import { renewalLines } from '../render/renewal.ts';
import { requireSafeTargets } from '../storage/safe-targets.ts';
import { conclude, type Conclusion } from './conclude.ts';
import { clusterFlags, type ClusterOptions } from './cluster-options.ts';
import { confirmRenewal } from './confirm.ts';
import { deployHookFlags, type DeployHookOption } from './deploy-hook-option.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { generateKeys } from './generate-keys.ts';
import { openNode, type Node } from './node-options.ts';
import type { OutputOption } from './output-option.ts';
import type { WithinOption } from './period-option.ts';
import { planRun, type RenewalRun, type RenewalWishes } from './plan-run.ts';
import { plannedChanges } from './planned-changes.ts';
import { refusals, renewRestHint } from './refusal.ts';
import { requireRestartable, restartAfter, type RestartAfterOptions } from './restart-after.ts';
import { restartAfterFlags } from './restart-options.ts';
import { parseSelection, type Selection } from './select.ts';
import { parseAskedSans, sanFlags, type SanOptions } from './san-options.ts';
import { makeArrivingChange, underLock, type Change, type Stage } from './session.ts';
import type { Terminal } from './terminal.ts';
import {
  validityFlags,
  warnOfDueAgain,
  warnOfShortValidity,
  type ValidityOption,
} from './validity-option.ts';
import { noteWaiting } from './waiting.ts';
import { noteSans, wishedSans } from './wished-sans.ts';

export interface RenewOptions
  extends
    RestartAfterOptions,
    ClusterOptions,
    ValidityOption,
    SanOptions,
    WithinOption,
    OutputOption,
    DeployHookOption {
  readonly force?: boolean;
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

export async function renewCertificates(
  names: readonly string[],
  options: RenewOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = parseSelection(names, options);
  const asked = parseAskedSans(selection, options);
  const node = await openNode(options, terminal);
  const conclusion = await renewSelected(node, { selection, asked }, options, terminal);
  return conclude(conclusion, options, terminal, () => restartAfter(node, options, terminal));
}

async function renewSelected(
  node: Node,
  { selection, asked }: { readonly selection: Selection; readonly asked: ReturnType<typeof parseAskedSans> },
  options: RenewOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const wishes: RenewalWishes = {
    validityMs: options.validity?.milliseconds,
    sans: await wishedSans(asked, node, options, terminal),
    force: options.force === true,
    withinMs: options.within?.milliseconds,
  };
  warnOfShortValidity(options, terminal);
  warnOfDueAgain(options, node.config?.certificateValidityMs, terminal);
  if (options.dryRun === true) {
    await noteWaiting(node, terminal);
    const run = planRun(node, selection, wishes, new Date());
    requireSafeTargets(
      node.layout.root,
      renewablesOf(run.plan).flatMap(({ place }) => targetsOf(place)),
    );
    return dryRun(run, selection, options, terminal);
  }
  if (selection.kind === 'all' && selection.confirm && terminal.interactive) {
    // Asked without the lock: another run must not wait for somebody's coffee.
    const run = planRun(node, selection, wishes, new Date());
    const refused = refuse(run, options, terminal);
    if (refused !== undefined) return refused;
    const rows = renewablesOf(run.plan).map(({ spec, place }) => ({
      name: spec.name,
      notAfter: place.state.chain[0].notAfter,
    }));
    await confirmRenewal(rows, new Date());
  }
  return underLock(node, options, terminal, async (state): Promise<Conclusion> => {
    const now = new Date();
    const run = planRun(node, selection, wishes, now);
    const refused = refuse(run, options, terminal);
    if (refused !== undefined) return refused;
    const renewables = renewablesOf(run.plan);
    const names = renewables.map(({ spec }) => spec.name);
    requireRestartable(node, names, options);
    warn(run, terminal);
    noteSans(renewables, { difference: true }, terminal);
    const arriving = {
      targets: renewables.flatMap(changedTargets),
      make: async (stage: Stage) => changeOf(await renewAll(renewables, stage, terminal)),
    };
    const made = await makeArrivingChange(state, arriving, { ...options, now, terminal });
    if (made.kind === 'interrupted') return made;
    const { backup, change } = made;
    const stage = { kind: 'made', backup, records: change.certificates } as const;
    return renewed(run, stage, { selection, options });
  });
}

function dryRun(
  run: RenewalRun,
  selection: Selection,
  options: RenewOptions,
  terminal: Terminal,
): Conclusion {
  const refused = refuse(run, options, terminal);
  if (refused !== undefined) return refused;
  const { plan, inventory } = run;
  const renewables = renewablesOf(plan);
  warn(run, terminal);
  noteSans(renewables, { difference: false }, terminal);
  const others = plan.filter(({ status }) => status !== 'renewable');
  return {
    kind: 'finished',
    code: exitCodeOfRun(run, selection),
    report: renewalReport(plan, inventory, { kind: 'dry-run' }),
    text:
      linesOf(others, options, { closing: false, due: renewables.length > 0 }) +
      dryRunLines(plannedChanges(renewables)),
  };
}

function warn({ plan, faults }: RenewalRun, terminal: Terminal): void {
  const endsFirst = plan.flatMap((one) => (one.status === 'ca-ends-first' ? [one] : []));
  for (const warning of [...endsFirstWarnings(endsFirst), ...renewalWarnings(renewablesOf(plan))]) {
    terminal.warning(warning);
  }
  // kubeadm renews nothing at all then, not even what other CAs sign.
  for (const { error } of faults) {
    terminal.warning(error.oneLine);
    terminal.hint(error.hint);
  }
}

function refuse(
  { plan, inventory }: RenewalRun,
  options: RenewOptions,
  terminal: Terminal,
): Conclusion | undefined {
  const errors = refusals(plan, 'renewed');
  if (errors.length === 0) return undefined;
  for (const error of errors) terminal.error(error);
  terminal.hint(
    renewRestHint(
      renewablesOf(plan).map(({ spec }) => spec.name),
      options,
      [
        ...sanFlags(options),
        ...validityFlags(options),
        ...clusterFlags(options),
        ...restartAfterFlags(options),
        ...deployHookFlags(options),
      ],
    ),
  );
  const report = renewalReport(plan, inventory, { kind: 'refused', dryRun: options.dryRun === true });
  return { kind: 'finished', code: exitCodes.error, report, text: '' };
}

function renewablesOf(plan: readonly PlannedRenewal[]): Renewable[] {
  return plan.flatMap((planned) => (planned.status === 'renewable' ? [planned.renewable] : []));
}

/** Each is signed, and staged, while the keys of the others are still being generated. */
function renewAll(
  renewables: readonly Renewable[],
  stage: Stage,
  terminal: Terminal,
): Promise<readonly Renewed[]> {
  return generateKeys(
    renewables,
    ({ keyAlgorithm }) => keyAlgorithm,
    (renewable, privateKey) => {
      const one = renew(renewable, { privateKey, serialNumber: randomSerialNumber() });
      stage(one.changes);
      return one;
    },
    terminal,
  );
}

function changeOf(renewed: readonly Renewed[]): Change {
  return {
    changes: renewed.flatMap(({ changes }) => changes),
    certificates: renewed.map(({ renewable, certificate }) => ({
      name: renewable.spec.name,
      old: factsOf(renewable.place.state.chain[0]),
      new: factsOf(certificate),
    })),
    verify: (readBack) => {
      for (const one of renewed) verifyRenewed(one, readBack);
    },
  };
}

function exitCodeOfRun({ plan, staysDue }: RenewalRun, selection: Selection): ExitCode {
  const left = plan.some(({ status }) => status === 'missing' || status === 'external-ca');
  if (selection.kind === 'named' && left) return exitCodes.notRenewed;
  return staysDue ? exitCodes.expiring : exitCodes.done;
}

/** What there is to say of each; of what is not due only beside what is. */
function linesOf(
  plan: readonly PlannedRenewal[],
  { within }: RenewOptions,
  { closing, due }: { readonly closing: boolean; readonly due: boolean },
): string {
  const dormant = plan.filter(({ status }) => status === 'not-due');
  const said = plan.filter(({ status }) => status !== 'not-due');
  const anyDue = due || said.some(({ status }) => status !== 'missing');
  if (within === undefined || anyDue || dormant.length === 0) {
    return renewalLines(plan.map(outcomeOf), { closing });
  }
  return `${renewalLines(said.map(outcomeOf), { closing })}nothing is due within ${within.text}\n`;
}

function renewed(
  run: RenewalRun,
  made: Extract<RenewalStage, { kind: 'made' }>,
  { selection, options }: { readonly selection: Selection; readonly options: RenewOptions },
): Conclusion {
  const { plan, inventory } = run;
  const due = renewablesOf(plan).length > 0;
  return {
    kind: 'finished',
    code: exitCodeOfRun(run, selection),
    report: renewalReport(plan, inventory, made),
    text: linesOf(plan, options, {
      closing: selection.kind === 'all' && due && options.restart !== true,
      due,
    }),
  };
}

function outcomeOf(planned: PlannedRenewal): Parameters<typeof renewalLines>[0][number] {
  const { longName } = planned.spec;
  switch (planned.status) {
    case 'renewable':
      return { status: 'renewed', longName };
    case 'missing':
      return { status: 'missing', longName };
    case 'not-due':
      return { status: 'not-due', longName, notAfter: planned.notAfter };
    case 'ca-ends-first':
      return { status: 'ca-ends-first', longName, notAfter: planned.end.leafNotAfter };
    case 'external-ca':
      return { status: 'external-ca', longName, caBaseName: planned.caBaseName };
    case 'refused':
      throw new TypeError('a refused renewal is never reported as done');
  }
}
