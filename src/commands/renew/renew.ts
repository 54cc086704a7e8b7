import { commandLine } from '../../errors/command-line.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { signingFiles } from '../../inventory/look-ups.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import { hasExpired } from '../../operations/expiration/expiration-report.ts';
import type { PlannedRenewal, Renewable } from '../../operations/renewal/plan-renewal.ts';
import { renew, type Renewed, verifyRenewed } from '../../operations/renewal/renew.ts';
import { renewalReport } from '../../operations/renewal/renewal-report.ts';
import { endsFirstWarnings, renewalWarnings } from '../../operations/renewal/renewal-warnings.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { renewalLines } from '../../render/change/renewal.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import { clusterFlags } from '../../flags/cluster-options.ts';
import { confirmRenewal } from '../../terminal/confirm.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import { deployHookFlags } from '../../flags/deploy-hook-option.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { warnOfFindings } from '../../terminal/findings.ts';
import { nodeFlags, openNode, type Node } from '../../node/node-options.ts';
import { noteAuthorities } from '../../change/note-authorities.ts';
import type { WithinOption } from '../../flags/period-option.ts';
import { planRenewalRun, type RenewalRun, type RenewalWishes } from './plan-run.ts';
import { plannedChanges } from '../../change/planned-changes.ts';
import { refusals, renewRestHint } from '../../change/refusal.ts';
import { isAnyUnsound, restingOutcome, warnOfUnsound } from './resting.ts';
import { restartAfterFlags } from '../../flags/restart-options.ts';
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
import { noteSameSans, noteSans, wishedSans } from './wished-sans.ts';
import type { ClusterOptions } from '../../node/ask-cluster.ts';

export interface RenewOptions extends ChangeFlags, ClusterOptions, ValidityOption, SanOptions, WithinOption {
  readonly force?: boolean;
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
  const wishes: RenewalWishes = {
    validityMs: options.validity?.milliseconds,
    sans: await wishedSans(asked, node, options, terminal),
    force: options.force === true,
    withinMs: options.within?.milliseconds,
  };
  warnOfShortValidity(options, terminal);
  warnOfDueAgain(options, node.config?.certificateValidityMs, terminal);
  const context = { node, selection, options, terminal };
  return changeNode(
    node,
    (way) => decided(planRenewalRun(node, selection, wishes, new Date()), way, context),
    options,
    terminal,
    { inUse: true, asks: selection.kind === 'all' && selection.confirm && terminal.interactive },
  );
}

interface Context {
  readonly node: Node;
  readonly selection: Selection;
  readonly options: RenewOptions;
  readonly terminal: Terminal;
}

function decided(run: RenewalRun, way: Way, { selection, options, terminal }: Context): PlannedRun {
  const { plan, inventory, now } = run;
  const renewables = renewablesOf(plan);
  const specs = renewables.map(({ spec }) => spec);
  const signedBy = signingFiles(inventory, renewables);
  return {
    now,
    errors: refusals(plan, 'renewed'),
    onRefusal: () => {
      terminal.hint(
        renewRestHint(
          specs.map(({ name }) => name),
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
    },
    question: () =>
      confirmRenewal(
        renewables.map(({ spec, chain: [leaf] }) => ({ name: spec.name, notAfter: leaf.notAfter })),
        new Date(),
      ),
    beforehand: () => {
      warn(run, options, terminal);
      noteSameSans(plan, terminal);
      noteSans(renewables, { difference: !way.dryRun }, terminal);
      noteAuthorities(renewables, terminal);
    },
    names: specs.map(({ name }) => name),
    arriving: { targets: renewables.flatMap(({ place }) => place.changing), signedBy },
    make: async (stage) => ({ ...changeOf(await renewAll(renewables, stage, way, terminal)), signedBy }),
    report: (stage) => renewalReport(plan, inventory, stage),
    text: async () => {
      if (!way.dryRun) {
        const closing = selection.kind === 'all' && renewables.length > 0 && options.restart !== true;
        return linesOf(plan, options, { closing, due: renewables.length > 0 });
      }
      const others = plan.filter(({ status }) => status !== 'renewable');
      return (
        linesOf(others, options, { closing: false, due: renewables.length > 0 }) +
        (await dryRunText(plannedChanges(renewables), terminal))
      );
    },
    code: exitCodeOf(run, selection, options),
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

function renewablesOf(plan: readonly PlannedRenewal[]): Renewable[] {
  return plan.flatMap((planned) => (planned.status === 'renewable' ? [planned.renewable] : []));
}

/** Each is signed, and staged, while the keys of the others are still being generated. */
function renewAll(
  renewables: readonly Renewable[],
  stage: Stage,
  { generateKeys }: Way,
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

function exitCodeOf(
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
