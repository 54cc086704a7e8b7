import { initSpecs, type InitSpec } from '../catalog/init-order.ts';
import type { NamingFlags } from '../config/naming-flags.ts';
import type { NodeNaming } from '../config/node-naming.ts';
import { commandLine } from '../errors/command-line.ts';
import { requireNoDanglingLink } from '../inventory/dangling-links.ts';
import { readInitFiles, type InitFiles } from '../inventory/init-files.ts';
import { generate, type Generated, type GenerationContext } from '../operations/generate.ts';
import { chooseConfigured } from '../operations/key-choice.ts';
import { planGeneration, type GenerationPlan } from '../operations/plan-generation.ts';
import { requireWritten } from '../operations/read-back.ts';
import type { NodeIdentity } from '../operations/requested-names.ts';
import { defaultAuthorityValidityMs, defaultValidityMs } from '../operations/validity.ts';
import { randomSerialNumber } from '../pki/issue.ts';
import { generationLines, type ShownGeneration } from '../render/generation.ts';
import { ensureDirectories } from '../storage/new-directories.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import { generateKeys } from './generate-keys.ts';
import { parseGenerateSelection, type GenerateSelection } from './generate-selection.ts';
import { nodeIdentity } from './host-identity.ts';
import { readNodeNaming } from './node-naming.ts';
import { planNode, type Node, type NodeOptions } from './node-options.ts';
import { refusals } from './refusal.ts';
import { makeChange, underLock, type LockOptions } from './session.ts';
import { onInterrupt } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { warnOfShortValidity, type ValidityOption } from './validity-option.ts';

export interface GenerateOptions extends NodeOptions, LockOptions, NamingFlags, ValidityOption {
  readonly compat: 'current' | 'older';
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
  const selection = parseGenerateSelection(names);
  const node = await planNode(options, terminal);
  warnOfShortValidity(options, terminal);
  const identity = nodeIdentity(await readNaming(node, options), terminal);
  const { root, certDir, kubeconfigDir } = node.layout;
  for (const directory of [certDir, kubeconfigDir]) requireNoDanglingLink(root, directory);
  if (options.dryRun === true) {
    const plan = planRun(node, { selection, identity, options, now: momentOf(options) });
    return refuse(plan, terminal) ?? report(node, plan, [], { terminal, dryRun: true });
  }
  const undo = ensureDirectories(
    [certDir, kubeconfigDir].map((directory) => root.resolve(directory)),
    0o755,
  );
  const forget = onInterrupt(() => {
    undo();
  });
  try {
    return await underLock(node, options, terminal, async (state) => {
      const now = momentOf(options);
      const plan = planRun(node, { selection, identity, options, now });
      const refused = refuse(plan, terminal);
      if (refused !== undefined) return refused;
      const made = await makeAll(node, plan, { identity, now, options }, terminal);
      const changes = made.flatMap((one) => one.changes);
      const change = {
        changes,
        certificates: made.flatMap(({ record }) => (record === undefined ? [] : [record])),
        verify: (read: Parameters<typeof requireWritten>[2]) => {
          for (const { target, after } of changes) requireWritten(target, after?.content, read);
        },
        newDirectoryMode: 0o755,
      } as const;
      const outcome = await makeChange(state, change, {
        keepBackups: options.keepBackups,
        now: new Date(),
        terminal,
      });
      return outcome.kind === 'interrupted'
        ? outcome.code
        : report(node, plan, made, { terminal, dryRun: false });
    });
  } finally {
    forget();
    undo();
  }
}

async function readNaming(node: Node, options: GenerateOptions): Promise<NodeNaming> {
  // Loaded only here, with the schema library.
  const { withFlags } = await import('../config/naming-flags.ts');
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

function planRun(
  { layout, config, flags }: Node,
  { selection, identity, options, now }: Wanted,
): GenerationPlan {
  // Everything is read: what exists of the rest decides whether a CA may be made.
  const all = initSpecs.map((spec) => readInitFiles(layout, spec));
  const isMade = (spec: InitSpec): boolean =>
    !(options.compat === 'older' && spec.name === 'super-admin.conf' && !selection.named.has(spec));
  return planGeneration(selection.selected.filter(isMade), all, {
    now,
    node: identity,
    etcd: config?.etcd ?? 'stacked',
    named: selection.named,
    command: commandLine(flags),
  });
}

function refuse({ planned }: GenerationPlan, terminal: Terminal): ExitCode | undefined {
  const errors = refusals(planned, 'generated');
  for (const error of errors) terminal.error(error);
  return errors.length === 0 ? undefined : exitCodes.error;
}

function newFiles({ planned }: GenerationPlan): InitFiles[] {
  return planned.flatMap((one) => (one.status === 'new' ? [one.files] : []));
}

async function makeAll(
  { config }: Node,
  plan: GenerationPlan,
  { identity, now, options }: Pick<Wanted, 'identity' | 'options' | 'now'>,
  terminal: Terminal,
): Promise<Generated[]> {
  const files = newFiles(plan);
  const algorithm = chooseConfigured(config?.encryptionAlgorithm);
  const keys = await generateKeys(
    files.map(() => algorithm),
    terminal,
  );
  const context: GenerationContext = {
    now,
    node: identity,
    organizations: options.compat,
    validityMs: options.validity?.milliseconds ?? config?.certificateValidityMs ?? defaultValidityMs,
    authorityValidityMs: config?.caCertificateValidityMs ?? defaultAuthorityValidityMs,
  };
  const fresh = files.map((one, index) => {
    const privateKey = keys[index];
    if (privateKey === undefined) throw new TypeError('fewer keys than files');
    return { files: one, fresh: { privateKey, serialNumber: randomSerialNumber() } };
  });
  return generate(fresh, plan.issuers, context);
}

function report(
  { layout }: Node,
  { planned }: GenerationPlan,
  made: readonly Generated[],
  { terminal, dryRun }: { readonly terminal: Terminal; readonly dryRun: boolean },
): ExitCode {
  for (const one of planned) {
    for (const warning of ('warnings' in one ? one.warnings : undefined) ?? []) terminal.warning(warning);
  }
  for (const { warning } of made) if (warning !== undefined) terminal.warning(warning);
  const shown = planned.flatMap((one): ShownGeneration[] => {
    if (one.status === 'refused') throw new TypeError('what is refused is never reported as made');
    if (one.status === 'left-out') return [];
    const { status, spec } = one;
    const names = made.find(({ files }) => files.spec === spec)?.names;
    return [{ status, spec, names, path: `${layout.kubeconfigDir}/${spec.name}` }];
  });
  terminal.result(generationLines(shown, layout, { dryRun }));
  return exitCodes.done;
}
