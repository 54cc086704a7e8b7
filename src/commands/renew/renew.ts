import { dirname } from 'node:path';
import { addedAuthorities } from '../../operations/places/kubeconfig-authority.ts';
import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import type { ChangeReport } from '../../operations/change/change-report.ts';
import type { ChangeSet, FileChange, FileTarget } from '../../changeset/change-set.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import {
  changedCopy,
  copiedSpecs,
  credentialsInUse,
  type StaleCopy,
} from '../../operations/renewal/admin-copies.ts';
import type { KubeadmConfig } from '../../config/kubeadm-config.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { signingFiles } from '../../inventory/look-ups.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import type { Asked } from '../../operations/change/run-end.ts';
import type { PlannedRenewal, Renewable } from '../../operations/renewal/plan-renewal.ts';
import { renew, type Renewed, verifyRenewed } from '../../operations/renewal/renew.ts';
import { renewalReport } from '../../operations/renewal/renewal-report.ts';
import { endsFirstWarnings, renewalWarnings } from '../../operations/renewal/renewal-warnings.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { describeAlgorithm } from '../../pki/key/private-key.ts';
import type { PlannedChange } from '../../render/change/dry-run.ts';
import { sanDifference } from '../../render/change/dry-run.ts';
import { copyLines, renewalLines, type RenewalOutcome } from '../../render/change/renewal.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import { confirmRenewal } from '../../terminal/confirm.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { openNode, type Node, readConfiguration } from '../../node/node-options.ts';
import { clusterFlags, restartAfterFlags, retyped, sanFlags, type Typed } from '../../flags/table.ts';
import { planRenewalRun, type RenewalRun, type RenewalWishes } from './plan-run.ts';
import { parseAskedSans, parseSelection, type SanOptions, type Selection } from './selection.ts';
import { noteAuthorities, noteKubelet } from '../../change/notes.ts';
import { refusals, renewRestHint } from '../../operations/change/refusals.ts';
import { shownAsLeft, warnOfUnsound } from './within.ts';
import type { Change, Stage } from '../../change/session.ts';
import { warnOfFindings, type Terminal } from '../../terminal/terminal.ts';
import { warnOfDueAgain, warnOfShortValidity } from '../../change/validity-warnings.ts';
import { noteSameSans, noteSans, wishedSans } from './wished-sans.ts';
import type { ClusterOptions } from '../../node/ask-cluster.ts';

export interface RenewOptions
  extends
    ChangeFlags,
    ClusterOptions,
    SanOptions,
    Typed<'validity' | 'within' | 'force' | 'updateKubeconfig'> {}

export async function renewCertificates(
  names: readonly string[],
  options: RenewOptions,
  cluster: KubeadmConfig | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = parseSelection(names);
  const asked = parseAskedSans(selection, options);
  const node = openNode(options, await readConfiguration(options, terminal, cluster));
  const wishes: RenewalWishes = {
    validityMs: options.validity?.milliseconds,
    sans: await wishedSans(asked, node, options, terminal),
    force: options.force === true,
    withinMs: options.within?.milliseconds,
    copies: options.updateKubeconfig,
  };
  warnOfShortValidity(options, terminal);
  warnOfDueAgain(options, node.config?.certificateValidityMs, terminal);
  const context = { node, selection, options, terminal };
  const asks = selection.kind === 'all' && selection.confirm && terminal.interactive;
  const givenUp = new Map<string, KubepkiError>();
  for (;;) {
    let copies: readonly FileTarget[] = [];
    const plan = (way: Way): PlannedRun => {
      const run = planRenewalRun(node, selection, { ...wishes, givenUp }, new Date());
      copies = staleIn(run).map(({ file }) => file);
      return decided(run, way, context);
    };
    try {
      return await changeNode(node, plan, options, terminal, { inUse: true, asks });
    } catch (error) {
      const failing = terminal.interruptions.wasChanged() ? undefined : copyAtFault(error, copies);
      if (failing === undefined || !(error instanceof KubepkiError)) throw error;
      givenUp.set(failing.path, error);
      terminal.interruptions.endHold();
    }
  }
}

/**
 * The copy that has kept a change from being made. What its owner does to it meanwhile, and a home without room, must not keep a
 * node's own certificates from being renewed: they are, without it.
 */
function copyAtFault(error: unknown, copies: readonly FileTarget[]): FileTarget | undefined {
  if (!(error instanceof KubepkiError) || error.code === 'unfinished') return undefined;
  const { file } = error;
  return copies.find(({ path, resolvedPath }) =>
    [path, resolvedPath, dirname(path), dirname(resolvedPath)].some((one) => one === file),
  );
}

interface Context {
  readonly node: Node;
  readonly selection: Selection;
  readonly options: RenewOptions;
  readonly terminal: Terminal;
}

function decided(run: RenewalRun, way: Way, context: Context): PlannedRun {
  const { node, selection, options, terminal } = context;
  const { plan, inventory, now } = run;
  const renewables = renewablesOf(plan);
  const specs = renewables.map(({ spec }) => spec);
  const stale = staleIn(run);
  const copyPaths = stale.map(({ file }) => file.path);
  const left = run.copies.flatMap((one) => (one.status === 'left' ? [one.error] : []));
  const signedBy = signingFiles(inventory, [
    ...renewables,
    // This CA's word is that these are copies.
    ...stale.map(({ file }) => ({ spec: { caName: 'ca' as const }, place: { targets: [file] } })),
  ]);
  const again = commandLine([
    ...retyped(options, [
      ...([...sanFlags, 'validity', ...clusterFlags, ...restartAfterFlags] as const),
      // Without admin.conf it would be refused.
      ...(copiedSpecs(specs).length > 0 ? (['updateKubeconfig'] as const) : []),
      ...(['deployHook', 'textfile', 'keepBackups', 'force'] as const),
    ]),
    ...node.flags,
  ]);
  return {
    now,
    errors: refusals(plan, 'renewed'),
    onRefusal: () => {
      terminal.hint(
        renewRestHint(
          specs.map(({ name }) => name),
          again,
        ),
      );
    },
    question: () =>
      confirmRenewal(
        renewables.map(({ spec, chain: [leaf] }) => ({ name: spec.name, notAfter: leaf.notAfter })),
        new Date(),
        again('renew all'),
      ),
    beforehand: () => {
      warn(run, context);
      for (const error of left) {
        terminal.warning(error.oneLine);
        terminal.hint(error.hint);
      }
      noteSameSans(plan, terminal);
      noteSans(renewables, { difference: !way.dryRun }, terminal);
      noteAuthorities(renewables, terminal);
    },
    names: specs.map(({ name }) => name),
    arriving: {
      targets: [...renewables.flatMap(({ place }) => place.changing), ...stale.map(({ file }) => file)],
      signedBy,
    },
    make: async (stage) => {
      const renewed = await renewAll(renewables, stage, way, terminal);
      const copies = copyChanges(stale, renewed, run);
      stage(copies);
      return { ...changeOf(renewed, copies), signedBy };
    },
    report: (made) => renewalReport(plan, inventory, made, copyPaths),
    text: async ({ otherFiles }) => {
      const within = options.within?.text;
      const due = renewables.length > 0;
      if (!way.dryRun) {
        const closing = selection.kind === 'all' && due && options.restart !== true;
        return renewalLines(plan.map(outcomeOf), { closing, within, due }) + copyLines(otherFiles);
      }
      const others = plan.filter(({ status }) => status !== 'renewable');
      return (
        renewalLines(others.map(outcomeOf), { closing: false, within, due }) +
        (await dryRunText(plannedChanges(renewables), terminal, { files: copyPaths }))
      );
    },
    asked: ({ otherFiles }) => ({
      named: selection.kind === 'named',
      leftAny: left.length > 0 || otherFiles.length < stale.length,
      within: options.within && stillWrong(run),
    }),
    remarks: (report) => {
      noteRenewedKubelet(report, terminal);
    },
  };
}

function warn({ plan, faults, authorityFaults, exposed }: RenewalRun, context: Context): void {
  const { terminal } = context;
  const endsFirst = plan.flatMap((one) => (one.status === 'ca-ends-first' ? [one] : []));
  for (const warning of [...endsFirstWarnings(endsFirst), ...renewalWarnings(renewablesOf(plan))]) {
    terminal.warning(warning.text);
    terminal.hint(warning.hint);
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
  noteExternal(plan, context);
}

/** With `--within` a timer is told in time; kubeadm's lines say the rest, but not what to do. */
function noteExternal(plan: readonly PlannedRenewal[], { node, options, terminal }: Context): void {
  const external = plan.flatMap((one) => (one.status === 'external-ca' ? [one] : []));
  if (external.length === 0) return;
  const names = external.map(({ spec }) => spec.name);
  const text = `not renewed, as the key of the CA is not here: ${names.join(', ')}`;
  // Without a window it is kubeadm's outcome, and no reason for a mail.
  if (options.within === undefined) terminal.note(text);
  else terminal.warning(`due and ${text}`);
  const requestable = names.filter((name) => name !== kubeletKubeconfig.name);
  if (requestable.length < names.length) {
    terminal.hint(
      'where the key of the CA is: kubeadm token create --print-join-command; then let this node join again',
    );
  }
  if (requestable.length === 0) return;
  const repeated = [...sanFlags, ...clusterFlags, 'manifestsDir', 'textfile', 'keepBackups'] as const;
  const flags = [...retyped(options, repeated), ...node.flags];
  const command = commandLine(flags)(['renew', ...requestable, '--csr-only'].join(' '));
  terminal.hint(`have them signed by the external CA: ${command}`);
}

function noteRenewedKubelet({ dryRun, failed, certificates }: ChangeReport, terminal: Terminal): void {
  const kubelet = certificates.find(({ name }) => name === kubeletKubeconfig.name);
  if (dryRun || failed || kubelet?.outcome !== 'renewed') return;
  noteKubelet('its new certificate', terminal);
}

/** What a dry run shows, said without making a key: the new serial number is not known, and neither is the content. */
function plannedChanges(renewables: readonly Renewable[]): PlannedChange[] {
  return renewables.map((renewable) => {
    const { spec, place, chain, issuer, keyAlgorithm, sans, validity } = renewable;
    const trusts = place.trusting && addedAuthorities(place.trusting.trusted);
    const remark = sans === undefined ? trusts : sanDifference(sans.edit);
    return {
      name: spec.name,
      oldNotAfter: chain[0].notAfter,
      newNotAfter: validity.notAfter,
      capped: validity.capped,
      issuer: issuer.certificate.x509.subject.replaceAll('\n', ', '),
      keyType: describeAlgorithm(keyAlgorithm),
      ...(remark === undefined ? {} : { remark }),
      files: place.changing.map(({ path }) => path),
    };
  });
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

function staleIn({ copies }: RenewalRun): StaleCopy[] {
  return copies.flatMap((one) => (one.status === 'stale' ? [one.copy] : []));
}

/** Each copy gets what its original has now, or has had all along. */
function copyChanges(
  stale: readonly StaleCopy[],
  renewed: readonly Renewed[],
  run: Pick<RenewalRun, 'inventory' | 'keys'>,
): FileChange[] {
  return stale.map((copy) =>
    changedCopy(
      copy,
      (original) =>
        renewed.find(({ renewable }) => renewable.spec === original)?.credentials ??
        credentialsInUse(original, run),
    ),
  );
}

function changeOf(renewed: readonly Renewed[], copies: ChangeSet): Omit<Change, 'signedBy'> {
  return {
    changes: [...renewed.flatMap(({ changes }) => changes), ...copies],
    certificates: renewed.map(({ renewable, certificate }) => ({
      name: renewable.spec.name,
      old: factsOf(renewable.chain[0]),
      new: factsOf(certificate),
    })),
    verify: (readBack) => {
      for (const one of renewed) verifyRenewed(one, readBack);
      requireWritten(copies, readBack);
    },
    unlinked: renewed.flatMap(({ renewable: { place } }) => place.unlinked ?? []),
  };
}

/** What a renewal does not mend. */
function stillWrong({ plan, staysDue, authorityFaults, now }: RenewalRun): Asked['within'] {
  const isAnyUseless = renewablesOf(plan).some(({ kept, nameless }) => kept.length > 0 || nameless);
  return { now, staysDue, faulty: authorityFaults.length > 0 || isAnyUseless };
}

function outcomeOf(planned: PlannedRenewal): RenewalOutcome {
  const { longName } = planned.spec;
  switch (planned.status) {
    case 'renewable':
      return { status: 'renewed', longName };
    case 'ca-ends-first':
      return { status: 'ca-ends-first', longName, notAfter: planned.end.leafNotAfter };
    case 'external-ca':
      return { status: 'external-ca', longName, caBaseName: planned.caBaseName };
    default:
      return shownAsLeft(planned);
  }
}
