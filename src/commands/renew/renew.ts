import { commandLine } from '../../errors/command-line.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { signingFiles } from '../../inventory/look-ups.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import type { ChangeReport } from '../../operations/change/change-report.ts';
import { hasExpired } from '../../operations/expiration/due.ts';
import type { PlannedRenewal, Renewable } from '../../operations/renewal/plan-renewal.ts';
import { renew, type Renewed } from '../../operations/renewal/renew.ts';
import { renewalReport } from '../../operations/renewal/renewal-report.ts';
import { endsFirstWarnings, renewalWarnings } from '../../operations/renewal/renewal-warnings.ts';
import { verifyRenewed } from '../../operations/renewal/verify-renewal.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { renewalLines } from '../../render/change/renewal.ts';
import { attempt, type Attempt } from '../../change/attempt.ts';
import { conclude, type Conclusion } from '../../change/conclude.ts';
import { clusterFlags } from '../../flags/cluster-options.ts';
import { confirmRenewal } from '../../terminal/confirm.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import { deployHookFlags, type DeployHookOption } from '../../flags/deploy-hook-option.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { warnOfFindings } from '../../terminal/findings.ts';
import { nodeFlags, openNode, type Node } from '../../node/node-options.ts';
import { noteAuthorities } from '../../change/note-authorities.ts';
import type { OutputOption } from '../../flags/output-option.ts';
import type { WithinOption } from '../../flags/period-option.ts';
import { planRenewalRun, type RenewalRun, type RenewalWishes } from './plan-run.ts';
import { plannedChanges } from '../../change/planned-changes.ts';
import { refusals, renewRestHint } from '../../change/refusal.ts';
import { isAnyUnsound, restingOutcome, warnOfUnsound } from './resting.ts';
import { requireRestartable, restartAfter } from '../../change/restart/restart-after.ts';
import { restartAfterFlags, type RestartAfterOptions } from '../../flags/restart-options.ts';
import { parseSelection, type Selection } from '../../flags/names/select.ts';
import { parseAskedSans, sanFlags, type SanOptions } from '../../flags/san-options.ts';
import type { Change, Stage } from '../../change/session.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import {
  validityFlags,
  warnOfDueAgain,
  warnOfShortValidity,
  type ValidityOption,
} from '../../flags/validity-option.ts';
import { stateOf } from '../../node/waiting.ts';
import { noteSameSans, noteSans, wishedSans } from './wished-sans.ts';
import type { ClusterOptions } from '../../node/ask-cluster.ts';

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
  const restart = (): ReturnType<typeof restartAfter> => restartAfter(node, options, terminal);
  return conclude(conclusion, options, terminal, restart, stateOf(node));
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
  if (options.dryRun !== true && selection.kind === 'all' && selection.confirm && terminal.interactive) {
    // The question is asked without the lock: another run must not wait for the operator's coffee.
    const run = planRenewalRun(node, selection, wishes, new Date());
    const refused = refuse(run, options, terminal);
    if (refused !== undefined) return refused;
    const rows = renewablesOf(run.plan).map(({ spec, chain }) => ({
      name: spec.name,
      notAfter: chain[0].notAfter,
    }));
    await confirmRenewal(rows, new Date());
  }
  return attempt(node, options, terminal, async (way): Promise<Conclusion> => {
    const now = new Date();
    const run = planRenewalRun(node, selection, wishes, now);
    const refused = refuse(run, options, terminal);
    if (refused !== undefined) return refused;
    const renewables = renewablesOf(run.plan);
    const names = renewables.map(({ spec }) => spec.name);
    requireRestartable(node, names, options);
    warn(run, options, terminal);
    noteSameSans(run.plan, terminal);
    noteSans(renewables, { difference: !way.dryRun }, terminal);
    noteAuthorities(renewables, terminal);
    const arriving = {
      targets: renewables.flatMap(({ place }) => place.changing),
      signedBy: signingFiles(
        run.inventory,
        renewables.map(({ spec }) => spec),
      ),
      make: async (stage: Stage) => changeOf(await renewAll(renewables, stage, way, terminal)),
    };
    const report = (backup: string | undefined, { certificates: records }: Change): ChangeReport =>
      renewalReport(run.plan, run.inventory, { kind: 'made', backup, records });
    const made = await way.makeArriving(arriving, { ...options, now, terminal, report });
    if (made.kind === 'interrupted') return made;
    if (made.kind === 'rehearsed') return planned(run, selection, options, terminal);
    return renewed(run, report(made.backup, made.change), { selection, options });
  });
}

/** What a dry run has come to. */
async function planned(
  run: RenewalRun,
  selection: Selection,
  options: RenewOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const { plan, inventory } = run;
  const renewables = renewablesOf(plan);
  const others = plan.filter(({ status }) => status !== 'renewable');
  return {
    kind: 'finished',
    code: exitCodeOfRun(run, selection, options),
    report: renewalReport(plan, inventory, { kind: 'dry-run' }),
    text:
      linesOf(others, options, { closing: false, due: renewables.length > 0 }) +
      (await dryRunText(plannedChanges(renewables), terminal)),
  };
}

function warn(
  { plan, faults, authorityFaults, exposed }: RenewalRun,
  options: RenewOptions,
  terminal: Terminal,
): void {
  const endsFirst = plan.flatMap((one) => (one.status === 'ca-ends-first' ? [one] : []));
  for (const warning of [...endsFirstWarnings(endsFirst), ...renewalWarnings(renewablesOf(plan))]) {
    terminal.warning(warning);
  }
  // Private keys are written with the mode that their file had, as kubeadm does.
  if (exposed.length > 0) {
    terminal.warning(`every user of this machine may read these private keys: ${exposed.join(', ')}`);
    terminal.hint(`chmod 0600 ${exposed.map(shellWord).join(' ')}`);
  }
  // kubeadm renews nothing at all then, not even what other CAs sign.
  for (const fault of faults) {
    terminal.warning(fault.oneLine);
    terminal.hint(fault.hint);
  }
  warnOfFindings(authorityFaults, terminal);
  warnOfFindings(
    renewablesOf(plan).flatMap(({ kept }) => kept),
    terminal,
  );
  warnOfUnsound(plan, terminal);
  noteExternal(plan, options, terminal);
}

/** With `--within` a timer is told in time; kubeadm's lines say the rest, but not what to do. */
function noteExternal(plan: readonly PlannedRenewal[], options: RenewOptions, terminal: Terminal): void {
  const external = plan.flatMap((one) => (one.status === 'external-ca' ? [one] : []));
  if (external.length === 0) return;
  const names = external.map(({ spec }) => spec.name);
  const text = `not renewed, as the key of the CA is not here: ${names.join(', ')}`;
  // Without a window it is kubeadm's outcome, and no reason for a mail.
  if (options.within === undefined) terminal.note(text);
  else terminal.warning(`due and ${text}`);
  const command = commandLine(nodeFlags(options))(['renew', ...names, '--csr-only'].join(' '));
  terminal.hint(`have them signed by the external CA: ${command}`);
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
        ...(options.force === true ? ['--force'] : []),
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
  { generateKeys }: Attempt,
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

function changeOf(renewed: readonly Renewed[]): Omit<Change, 'signedBy'> {
  return {
    changes: renewed.flatMap(({ changes }) => changes),
    certificates: renewed.map(({ renewable, certificate }) => ({
      name: renewable.spec.name,
      old: factsOf(renewable.chain[0]),
      new: factsOf(certificate),
    })),
    verify: (readBack) => {
      for (const one of renewed) verifyRenewed(one, readBack);
    },
  };
}

function exitCodeOfRun(
  { plan, staysDue, authorityFaults, now }: RenewalRun,
  selection: Selection,
  { within }: RenewOptions,
): ExitCode {
  if (isAnyUnsound(plan) || authorityFaults.length > 0) return exitCodes.expired;
  // Renewed, and of no more use than before: a timer must not be green.
  const isAnyUseless = renewablesOf(plan).some(({ kept, nameless }) => kept.length > 0 || nameless);
  if (within !== undefined && isAnyUseless) return exitCodes.expired;
  const external = plan.flatMap((one) => (one.status === 'external-ca' ? [one] : []));
  const left = external.length > 0 || plan.some(({ status }) => status === 'missing');
  if (selection.kind === 'named' && left) return exitCodes.notRenewed;
  // Nobody but the external CA can renew them: a timer must not be green until they have expired.
  if (within !== undefined && external.length > 0) {
    const hasAnyExpired = external.some(({ notAfter }) => hasExpired(notAfter.getTime() - now.getTime()));
    return hasAnyExpired ? exitCodes.expired : exitCodes.expiring;
  }
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
  report: ChangeReport,
  { selection, options }: { readonly selection: Selection; readonly options: RenewOptions },
): Conclusion {
  const { plan } = run;
  const due = renewablesOf(plan).length > 0;
  return {
    kind: 'finished',
    code: exitCodeOfRun(run, selection, options),
    report,
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
    case 'same-sans':
      return { status: planned.status, longName };
    case 'not-due':
    case 'unsound':
      return restingOutcome(planned);
    case 'ca-ends-first':
      return { status: 'ca-ends-first', longName, notAfter: planned.end.leafNotAfter };
    case 'external-ca':
      return { status: 'external-ca', longName, caBaseName: planned.caBaseName };
    case 'refused':
      throw new TypeError('a refused renewal is never reported as done');
  }
}
