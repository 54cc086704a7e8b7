import { initSpecs, type InitSpec } from '../../catalog/init-order.ts';
import type { FileTarget, SigningFiles } from '../../changeset/change-set.ts';
import type { NamingFlags, NodeNaming } from '../../config/node-naming.ts';
import { commandLine } from '../../errors/command-line.ts';
import { readInitFiles, type InitFiles } from '../../inventory/init-files.ts';
import { generate, type Generated, type GenerationContext } from '../../operations/generation/generate.ts';
import { generationReport } from '../../operations/generation/generation-report.ts';
import { chooseConfigured } from '../../operations/issuing/key-choice.ts';
import {
  isMadeWith,
  organizationsSince,
  type Organizations,
} from '../../operations/generation/initial-profile.ts';
import { planGeneration, type GenerationPlan } from '../../operations/generation/plan-generation.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import type { NodeIdentity } from '../../operations/names/node-names.ts';
import { defaultAuthorityValidityMs, defaultValidityMs } from '../../operations/issuing/validity.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { generationLines, type ShownGeneration } from '../../render/change/generation.ts';
import { changeNode, type ChangeFlags, type PlannedRun, type Way } from '../../change/change-node.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import { parseGenerateSelection, type GenerateSelection } from './generate-selection.ts';
import { nodeIdentity } from '../../node/host-identity.ts';
import { planNode, readNodeNaming, type Node, readConfiguration } from '../../node/node-options.ts';
import { refusals } from '../../operations/change/refusals.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { Typed } from '../../flags/table.ts';
import { warnOfShortValidity } from '../../change/validity-warnings.ts';

export interface GenerateOptions extends ChangeFlags, NamingFlags, Typed<'validity'> {
  /** Made as if at this moment; undefined: now. */
  readonly at?: Date;
  readonly keepBackups: number;
}

/** `generate`: what `kubeadm init` makes before there is a cluster, where it is missing. */
export async function generateMissing(
  names: readonly string[],
  options: GenerateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const selection = parseGenerateSelection(names, options);
  const node = planNode(options, await readConfiguration(options, terminal));
  warnOfShortValidity(options, terminal);
  const naming = await readNaming(node, options);
  const organizations = organizationsSince({ compat: options.compat, configured: naming.kubernetesVersion });
  const identity = nodeIdentity(
    {
      naming,
      layout: node.layout,
      specs: selection.selected.filter((spec) => spec.kind === 'leaf' || spec.kind === 'kubeconfig'),
      hasFlags: true,
    },
    terminal,
  );
  const plan = (way: Way): PlannedRun =>
    decided(node, { selection, identity, organizations, options }, way, terminal);
  return changeNode(node, plan, options, terminal, { inUse: false });
}

interface Wanted {
  readonly selection: GenerateSelection;
  readonly identity: NodeIdentity;
  readonly organizations: Organizations;
  readonly options: GenerateOptions;
}

function decided(node: Node, wanted: Wanted, way: Way, terminal: Terminal): PlannedRun {
  const context = contextOf(node, wanted);
  const run = planGenerationRun(node, wanted, context);
  const { plan, all } = run;
  let made: readonly Generated[] = [];
  return {
    now: new Date(),
    errors: refusals(plan.planned, 'generated'),
    beforehand: () => {
      for (const one of plan.planned) {
        for (const warning of ('warnings' in one ? one.warnings : undefined) ?? []) terminal.warning(warning);
      }
    },
    names: [],
    make: async () => {
      made = await makeAll(node, plan, context, way, terminal);
      const changes = made.flatMap((one) => one.changes);
      return {
        changes,
        signedBy: signingFilesOf(run),
        certificates: made.flatMap(({ record }) => (record === undefined ? [] : [record])),
        verify: (read) => {
          requireWritten(changes, read);
        },
        newDirectoryMode: 0o755,
      };
    },
    report: (stage) => generationReport(plan, all, context, stage),
    text: ({ dryRun }) => generationLines(shownIn(node, plan, dryRun ? [] : made), node.layout, { dryRun }),
    remarks: () => {
      // A certificate that ends earlier than was asked for, with its CA.
      for (const { warning } of made) if (warning !== undefined) terminal.warning(warning);
    },
  };
}

/** Of the CAs that are there already. */
function signingFilesOf({ plan, all }: GenerationRun): SigningFiles[] {
  return all.flatMap((one) => {
    if (one.kind !== 'pair' || one.spec.kind !== 'ca') return [];
    const { name } = one.spec;
    const signed = newFiles(plan).filter(({ spec }) => 'caName' in spec && spec.caName === name);
    return signed.length === 0
      ? []
      : [{ certificate: one.certificate.target, targets: signed.flatMap(targetsIn) }];
  });
}

function targetsIn(files: InitFiles): FileTarget[] {
  switch (files.kind) {
    case 'pair':
      return [files.certificate.target, files.key.target];
    case 'kubeconfig':
      return [files.file.target];
    case 'service-account':
      return [];
  }
}

async function readNaming(node: Node, options: GenerateOptions): Promise<NodeNaming> {
  // Loaded only here, with the schema library.
  const { withFlags } = await import('../../config/node-naming.ts');
  return withFlags(await readNodeNaming(node, options), options);
}

interface GenerationRun {
  readonly plan: GenerationPlan;
  /** Whatever there is, selected or not. */
  readonly all: readonly InitFiles[];
}

function planGenerationRun(
  { layout, config, flags }: Node,
  { selection, organizations }: Wanted,
  context: GenerationContext,
): GenerationRun {
  // Everything is read: what exists of the rest decides whether a CA may be made.
  const all = initSpecs.map((spec) => readInitFiles(layout, spec));
  const isMade = (spec: InitSpec): boolean => isMadeWith(organizations, spec) || selection.named.has(spec);
  const plan = planGeneration(selection.selected.filter(isMade), all, {
    ...context,
    etcd: config?.etcd.kind ?? 'stacked',
    named: selection.named,
    command: commandLine(flags),
  });
  return { plan, all };
}

function contextOf({ config }: Node, { identity, organizations, options }: Wanted): GenerationContext {
  return {
    // One moment for the whole run.
    now: options.at ?? new Date(),
    node: identity,
    organizations,
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
  { generateKeys }: Way,
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

function shownIn(
  { layout }: Node,
  { planned }: GenerationPlan,
  made: readonly Generated[],
): ShownGeneration[] {
  return planned.flatMap((one): ShownGeneration[] => {
    if (one.status === 'refused') throw new TypeError('what is refused is never reported as made');
    if (one.status === 'left-out') return [];
    const { status, spec } = one;
    const names = made.find(({ files }) => files.spec === spec)?.names;
    return [{ status, spec, names, path: `${layout.kubeconfigDir}/${spec.name}` }];
  });
}
