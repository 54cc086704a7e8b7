import { basename } from 'node:path';
import { certificateAuthorities, kubeletKubeconfig, type CaSpec } from '../../catalog/catalog.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import { noteKubelet } from '../../change/notes.ts';
import { warnOfShortValidity } from '../../change/validity-warnings.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { unknownWord } from '../../flags/names/unknown-name.ts';
import { restartAfterFlags, retyped, type Typed } from '../../flags/table.ts';
import { findAuthority } from '../../inventory/look-ups.ts';
import { openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { authorityRenewalReport } from '../../operations/authority-renewal/authority-report.ts';
import { copiesElsewhere } from '../../operations/authority-renewal/elsewhere.ts';
import type {
  PlannedAuthority,
  RenewableAuthority,
} from '../../operations/authority-renewal/plan-authority-renewal.ts';
import {
  renewAuthorities,
  verifyRenewedAuthorities,
  type RenewedAuthorities,
} from '../../operations/authority-renewal/renew-authorities.ts';
import type { ChangeReport, Elsewhere } from '../../operations/change/change-report.ts';
import { refusals } from '../../operations/change/refusals.ts';
import { remedyFor } from '../../operations/examination/authority-remedy.ts';
import { inUseOf } from '../../operations/examination/examination.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { algorithmOf, describeAlgorithm } from '../../pki/key/private-key.ts';
import { authorityLines, elsewhereLines, type ShownAuthority } from '../../render/change/authorities.ts';
import type { PlannedChange } from '../../render/change/dry-run.ts';
import { confirmRenewal } from '../../terminal/confirm.ts';
import { dryRunText } from '../../terminal/dry-run-text.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { planAuthorityRun, type AuthorityRun, type AuthorityWishes } from './plan-authority-run.ts';

export interface RenewAuthoritiesOptions extends ChangeFlags, Typed<'validity' | 'compromised'> {
  readonly keepBackups: number;
}

/** `ca renew` */
export async function renewAuthoritiesHere(
  names: readonly string[],
  options: RenewAuthoritiesOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const named = parseNames(names);
  const node = openNode(options, await readConfiguration(options, terminal));
  const wishes: AuthorityWishes = {
    named,
    validityMs: options.validity?.milliseconds,
    compromised: options.compromised === true,
  };
  warnOfShortValidity(options, terminal);
  const plan = (way: Way): PlannedRun =>
    decided(planAuthorityRun(node, wishes, new Date()), way, { node, options, terminal });
  // Without a name, as for `certs renew`.
  const asks = names.length === 0 && terminal.interactive;
  return changeNode(node, plan, options, terminal, { inUse: true, asks });
}

/** @returns undefined for all. @throws KubepkiError usage */
function parseNames(names: readonly string[]): readonly CaSpec[] | undefined {
  const allowed = ['all', ...certificateAuthorities.map(({ name }) => name)];
  const unknown = names.find((name) => !allowed.includes(name));
  if (unknown !== undefined) {
    throw unknownWord('CA', unknown, { allowed, otherwise: `use one of: ${allowed.join(', ')}` });
  }
  if (names.length === 0 || (names.length === 1 && names[0] === 'all')) return undefined;
  if (names.includes('all')) {
    throw new KubepkiError('usage', '"all" stands alone, it cannot be combined with names');
  }
  return certificateAuthorities.filter(({ name }) => names.includes(name));
}

interface Context {
  readonly node: Node;
  readonly options: RenewAuthoritiesOptions;
  readonly terminal: Terminal;
}

/** Kubeconfigs hold the cluster's CA, which may be etcd's too. */
function mayBeInKubeconfigs({ spec, old }: RenewableAuthority, { copies }: AuthorityRun): boolean {
  return (
    spec.name === 'ca' ||
    copies.some(
      ({ name, certificates }) => name === 'ca' && certificates.some(({ der }) => der.equals(old.der)),
    )
  );
}

function decided(run: AuthorityRun, { dryRun }: Way, { node, options, terminal }: Context): PlannedRun {
  const { plan, copies, known, now } = run;
  const renewables = renewablesOf(plan);
  const unreadable = renewables.some((one) => mayBeInKubeconfigs(one, run)) ? run.unreadable : [];
  const again = commandLine([
    ...retyped(options, ['validity', ...restartAfterFlags, 'deployHook', 'keepBackups']),
    ...node.flags,
  ]);
  let made: RenewedAuthorities | undefined;
  const elsewhere = (): readonly Elsewhere[] => (made === undefined ? [] : elsewhereOf(run, node, options));
  return {
    now,
    errors: [...refusals(plan, 'renewed'), ...unreadable],
    onRefusal: () => {
      const rest = renewables.map(({ spec }) => spec.name).join(' ');
      if (rest === '' || unreadable.length > 0) return;
      terminal.hint(`nothing was changed; to renew the rest: ${again(`ca renew ${rest}`)}`);
    },
    question: () =>
      confirmRenewal(
        renewables.map(({ spec, old }) => ({ name: spec.name, notAfter: old.notAfter })),
        new Date(),
        again('ca renew all'),
        'a new certificate for the key it has',
      ),
    beforehand: () => {
      for (const one of renewables) sayBefore(one, terminal);
      noteExternal(run, node, terminal);
    },
    names: renewables.map(({ spec }) => spec.name),
    make: () => {
      made = renewAuthorities(renewables, copies, { now, serialNumber: randomSerialNumber });
      const { changes, records, changed } = made;
      const whole = made;
      return Promise.resolve({
        changes,
        certificates: records,
        signedBy: renewables.map(({ file, old }) => ({
          certificate: file,
          targets: changed
            .filter(({ copy }) => copy.certificates.some(({ der }) => der.equals(old.der)))
            .map(({ copy }) => copy.target),
        })),
        verify: (read) => {
          verifyRenewedAuthorities(whole, known, read);
        },
      });
    },
    report: (stage) =>
      authorityRenewalReport(
        plan,
        { inUse: ({ name }) => certificateInUse(run, name), made, elsewhere: elsewhere() },
        stage,
      ),
    text: async (report) => {
      const list = elsewhereLines(report.elsewhere ?? []);
      if (!dryRun) return authorityLines(plan.map(shownOf)) + list;
      const left = plan.filter(({ status }) => status !== 'renewable');
      return (
        authorityLines(left.map(shownOf)) +
        (await dryRunText(plannedChanges(renewables, report), terminal)) +
        list
      );
    },
    // Where nothing at all is renewed, that is no success.
    asked: { named: renewables.length === 0 },
    remarks: (report) => {
      remark(report, run, node, terminal);
    },
  };
}

function renewablesOf(plan: readonly PlannedAuthority[]): RenewableAuthority[] {
  return plan.flatMap((one) => (one.status === 'renewable' ? [one.renewable] : []));
}

function certificateInUse({ inventory, now }: AuthorityRun, name: CaSpec['name']): Certificate | undefined {
  const entry = findAuthority(inventory, name);
  return entry && inUseOf(entry, { inventory, keys: undefined, now });
}

function elsewhereOf(
  { plan, copies }: AuthorityRun,
  { flags, config, layout: { root, certDir, kubeconfigDir } }: Node,
  options: RenewAuthoritiesOptions,
): readonly Elsewhere[] {
  const admin = copies.find(({ name }) => name === 'admin.conf');
  const clusterName = admin?.kind === 'kubeconfig' ? admin.kubeconfig.clusterName : 'kubernetes';
  return copiesElsewhere(
    renewablesOf(plan).map(({ spec: { name }, file: { path } }) => ({ name, path })),
    {
      clusterName,
      command: commandLine(flags),
      // The other nodes have neither the other root nor the configuration that was given here.
      directories: retyped(
        {
          ...((options.certDir ?? config?.certificatesDir) && { certDir: root.display(certDir) }),
          ...(options.kubeconfigDir && { kubeconfigDir: root.display(kubeconfigDir) }),
        },
        ['certDir', 'kubeconfigDir'],
      ),
    },
  );
}

function sayBefore({ spec, serial, warnings }: RenewableAuthority, terminal: Terminal): void {
  for (const warning of warnings) terminal.warning(warning);
  if (serial.kind === 'new') return;
  terminal.note(
    `${spec.name}: keeps its serial number, as these name it (authorityKeyIdentifier): ${serial.namedBy.join(', ')}`,
  );
}

function plannedChanges(
  renewables: readonly RenewableAuthority[],
  { certificates }: ChangeReport,
): PlannedChange[] {
  return renewables.map(({ spec: { name }, old, notAfter, serial }) => {
    const row = certificates.find((one) => one.name === name);
    return {
      name,
      oldNotAfter: old.notAfter,
      newNotAfter: notAfter,
      keyType: describeAlgorithm(algorithmOf(old.publicKey)),
      ...(serial.kind === 'kept' ? { remark: 'keeps its serial number' } : {}),
      files: row === undefined || 'reason' in row ? [] : row.files,
    };
  });
}

function shownOf(planned: PlannedAuthority): ShownAuthority {
  const { longName, baseName } = planned.spec;
  switch (planned.status) {
    case 'renewable':
      return { status: 'renewed', longName, notAfter: planned.renewable.notAfter };
    case 'unchanged':
      return { status: 'unchanged', longName, notAfter: planned.notAfter };
    case 'external-ca':
      return { status: 'external-ca', longName, baseName };
    case 'missing':
    case 'unmanaged':
      return { status: planned.status, longName };
    case 'refused':
      throw new TypeError('what is refused is never reported as renewed');
  }
}

/** Not among those named, so it stops nothing; but its end comes all the same. */
function noteExternal(run: AuthorityRun, node: Node, terminal: Terminal): void {
  for (const { status, spec } of run.plan) {
    const entry = findAuthority(run.inventory, spec.name);
    const certificate = certificateInUse(run, spec.name);
    if (status !== 'external-ca' || entry === undefined || certificate === undefined) continue;
    terminal.note(`${spec.name}: not renewed, as its key is not here`);
    terminal.hint(remedyFor(entry, certificate, commandLine(node.flags)));
  }
}

/** What has to follow on this node. */
function remark(
  { dryRun, failed, backup, certificates }: ChangeReport,
  { plan, inventory, now }: AuthorityRun,
  node: Node,
  terminal: Terminal,
): void {
  if (dryRun || failed || backup === undefined) return;
  const files = certificates.flatMap((one) => ('reason' in one ? [] : one.files));
  if (files.some((file) => basename(file) === kubeletKubeconfig.name)) {
    noteKubelet('the renewed CA', terminal);
  }
  const renewables = renewablesOf(plan);
  const first = Math.min(...renewables.map(({ old }) => old.notAfter.getTime()));
  if (first > now.getTime()) {
    const until = isoSeconds(new Date(first));
    terminal.note(
      `until ${until} the old certificate serves as well: restarts and copies can wait until then, in any order`,
    );
  } else {
    terminal.note(
      `the old certificate ended on ${isoSeconds(new Date(first))}: what still holds it trusts nothing until it is brought up to date`,
    );
  }
  // No certificate outlives its CA: those that were cut short can last longer now.
  const cut = inventory.certificates.flatMap(({ spec, state }) => {
    const leaf = state.status === 'present' ? state.value.chain[0] : undefined;
    const isCut = renewables.some(
      ({ old }) => leaf !== undefined && leaf.notAfter >= old.notAfter && isIssuedBy(leaf, old),
    );
    return isCut ? [spec.name] : [];
  });
  if (cut.length === 0) return;
  terminal.note(`these end with the old certificate: ${cut.join(', ')}`);
  terminal.hint(`to renew them: ${commandLine(node.flags)(`renew ${cut.join(' ')}`)}`);
}
