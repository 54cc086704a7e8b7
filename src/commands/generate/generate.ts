import { initSpecs, type InitSpec } from '../../catalog/init-order.ts';
import type { SigningFiles } from '../../changeset/change-set.ts';
import type { NamingFlags } from '../../config/naming-flags.ts';
import type { NodeNaming } from '../../config/node-naming.ts';
import { commandLine } from '../../errors/command-line.ts';
import { readInitFiles, type InitFiles } from '../../inventory/init-files.ts';
import { generate, type Generated, type GenerationContext } from '../../operations/generation/generate.ts';
import { generationReport, type GenerationStage } from '../../operations/generation/generation-report.ts';
import { chooseConfigured } from '../../operations/issuing/key-choice.ts';
import { isMadeWith, organizationsSince } from '../../operations/generation/organizations.ts';
import { planGeneration, type GenerationPlan } from '../../operations/generation/plan-generation.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import type { NodeIdentity } from '../../operations/names/requested-names.ts';
import { defaultAuthorityValidityMs, defaultValidityMs } from '../../operations/issuing/validity.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { generationLines, type ShownGeneration } from '../../render/change/generation.ts';
import { attempt, type Attempt } from '../../change/attempt.ts';
import { conclude, type Conclusion } from '../../change/conclude.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import { parseGenerateSelection, type GenerateSelection } from '../../flags/names/generate-selection.ts';
import { nodeIdentity } from '../../node/host-identity.ts';
import { readNodeNaming } from '../../flags/node-naming.ts';
import { planNode, type Node, type NodeOptions } from '../../node/node-options.ts';
import type { OutputOption } from '../../flags/output-option.ts';
import { refusals } from '../../change/refusal.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { warnOfShortValidity, type ValidityOption } from '../../flags/validity-option.ts';
import type { LockOptions } from '../../flags/options.ts';

export interface GenerateOptions extends NodeOptions, LockOptions, NamingFlags, ValidityOption, OutputOption {
  /** Made as if at this moment; undefined: now. */
  readonly at?: Date;
  readonly dryRun?: boolean;
  readonly keepBackups: number;
}

/** `generate`: what `kubeadm init` makes before there is a cluster, where it is missing. */
export async function generateMissing(
  names: readonly string[],
  options: GenerateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  return conclude(
    await generateSelected(parseGenerateSelection(names, options), options, terminal),
    options,
    terminal,
  );
}

async function generateSelected(
  selection: GenerateSelection,
  options: GenerateOptions,
  terminal: Terminal,
): Promise<Conclusion> {
  const node = await planNode(options, terminal);
  warnOfShortValidity(options, terminal);
  const identity = nodeIdentity(
    {
      naming: await readNaming(node, options),
      layout: node.layout,
      specs: selection.selected.filter((spec) => spec.kind === 'leaf' || spec.kind === 'kubeconfig'),
      hasFlags: true,
    },
    terminal,
  );
  return attempt(node, options, terminal, async (way): Promise<Conclusion> => {
    const now = momentOf(options);
    const run = planGenerationRun(node, { selection, identity, options, now });
    const refused = refuse(run, { dryRun: way.dryRun, terminal });
    if (refused !== undefined) return refused;
    const context = contextOf(node, { identity, options, now });
    const made = await makeAll(node, run.plan, context, way, terminal);
    const changes = made.flatMap((one) => one.changes);
    const change = {
      changes,
      signedBy: signingFilesOf(run),
      certificates: made.flatMap(({ record }) => (record === undefined ? [] : [record])),
      verify: (read: Parameters<typeof requireWritten>[2]) => {
        for (const { target, after } of changes) requireWritten(target, after?.content, read);
      },
      newDirectoryMode: 0o755,
    } as const;
    const outcome = await way.make(change, {
      keepBackups: options.keepBackups,
      now: new Date(),
      terminal,
    });
    switch (outcome.kind) {
      case 'interrupted':
        return outcome;
      case 'rehearsed':
        warnOfGenerated(made, terminal);
        return finished(node, run, { kind: 'planned', lifetimes: context }, terminal);
      case 'made':
        warnOfGenerated(made, terminal);
        return finished(node, run, { ...outcome, made }, terminal);
    }
  });
}

/** Of the CAs that are there already. */
function signingFilesOf({ plan, all }: GenerationRun): SigningFiles[] {
  const caNames = plan.planned.map(({ status, spec }) =>
    status === 'new' && 'caName' in spec ? spec.caName : undefined,
  );
  return all.flatMap((one) =>
    one.kind === 'pair' && one.spec.kind === 'ca' && caNames.includes(one.spec.name)
      ? [{ certificate: one.certificate.target, keyPath: one.key.target.path }]
      : [],
  );
}

/** A certificate that ends earlier than was asked for, with its CA. */
function warnOfGenerated(made: readonly Generated[], terminal: Terminal): void {
  for (const { warning } of made) if (warning !== undefined) terminal.warning(warning);
}

async function readNaming(node: Node, options: GenerateOptions): Promise<NodeNaming> {
  // Loaded only here, with the schema library.
  const { withFlags } = await import('../../config/naming-flags.ts');
  return withFlags(await readNodeNaming(node, options), options);
}

/** One moment for the whole run. */
function momentOf({ at }: GenerateOptions): Date {
  return at ?? new Date();
}

interface Wanted {
  readonly selection: GenerateSelection;
  readonly identity: NodeIdentity;
  readonly options: GenerateOptions;
  readonly now: Date;
}

interface GenerationRun {
  readonly plan: GenerationPlan;
  /** Whatever there is, selected or not. */
  readonly all: readonly InitFiles[];
}

function planGenerationRun(node: Node, { selection, ...wanted }: Wanted): GenerationRun {
  const { layout, config, flags } = node;
  const { options } = wanted;
  // Everything is read: what exists of the rest decides whether a CA may be made.
  const all = initSpecs.map((spec) => readInitFiles(layout, spec));
  const isMade = (spec: InitSpec): boolean =>
    isMadeWith(organizationsSince(options.compat), spec) || selection.named.has(spec);
  const plan = planGeneration(selection.selected.filter(isMade), all, {
    ...contextOf(node, wanted),
    etcd: config?.etcd.kind ?? 'stacked',
    named: selection.named,
    command: commandLine(flags),
  });
  return { plan, all };
}

function refuse(
  { plan, all }: GenerationRun,
  { dryRun, terminal }: { readonly dryRun: boolean; readonly terminal: Terminal },
): Conclusion | undefined {
  const errors = refusals(plan.planned, 'generated');
  if (errors.length === 0) return undefined;
  for (const error of errors) terminal.error(error);
  const report = generationReport(plan, all, { kind: 'refused', dryRun });
  return { kind: 'finished', code: exitCodes.error, report, text: '' };
}

function contextOf(
  { config }: Node,
  { identity, options, now }: Pick<Wanted, 'identity' | 'options' | 'now'>,
): GenerationContext {
  return {
    now,
    node: identity,
    organizations: organizationsSince(options.compat),
    validityMs: options.validity?.milliseconds ?? config?.certificateValidityMs ?? defaultValidityMs,
    authorityValidityMs: config?.caCertificateValidityMs ?? defaultAuthorityValidityMs,
  };
}

function newFiles({ planned }: GenerationPlan): InitFiles[] {
  return planned.flatMap((one) => (one.status === 'new' ? [one.files] : []));
}

async function makeAll(
  node: Node,
  plan: GenerationPlan,
  context: GenerationContext,
  { generateKeys }: Attempt,
  terminal: Terminal,
): Promise<Generated[]> {
  const files = newFiles(plan);
  const algorithm = chooseConfigured(node.config?.encryptionAlgorithm);
  // Issued when all are there: a leaf's CA may be among them.
  const fresh = await generateKeys(
    files,
    () => algorithm,
    (one, privateKey) => ({ files: one, fresh: { privateKey, serialNumber: randomSerialNumber() } }),
    terminal,
  );
  return generate(fresh, plan.issuers, context);
}

function finished(
  { layout }: Node,
  { plan, all }: GenerationRun,
  stage: Exclude<GenerationStage, { kind: 'refused' }>,
  terminal: Terminal,
): Conclusion {
  const { planned } = plan;
  const made = stage.kind === 'made' ? stage.made : [];
  for (const one of planned) {
    for (const warning of ('warnings' in one ? one.warnings : undefined) ?? []) terminal.warning(warning);
  }
  const shown = planned.flatMap((one): ShownGeneration[] => {
    if (one.status === 'refused') throw new TypeError('what is refused is never reported as made');
    if (one.status === 'left-out') return [];
    const { status, spec } = one;
    const names = made.find(({ files }) => files.spec === spec)?.names;
    return [{ status, spec, names, path: `${layout.kubeconfigDir}/${spec.name}` }];
  });
  return {
    kind: 'finished',
    code: exitCodes.done,
    report: generationReport(plan, all, stage),
    text: generationLines(shown, layout, { dryRun: stage.kind === 'planned' }),
  };
}
