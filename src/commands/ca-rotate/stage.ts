import { setTimeout as sleep } from 'node:timers/promises';
import { certificateAuthority, kubeletKubeconfig, type CaName } from '../../catalog/catalog.ts';
import { realChanges, replaceFile, type ChangeSet } from '../../changeset/change-set.ts';
import { changeNode, type PlannedRun, type Way } from '../../change/change-node.ts';
import { noteKubelet } from '../../change/notes.ts';
import { underLock, type Change } from '../../change/session.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { parseAccepted } from '../../flags/names/accepted.ts';
import { signingFiles } from '../../inventory/look-ups.ts';
import { changeCluster } from '../../node/rotation/change-cluster.ts';
import { measureRotation } from '../../node/rotation/measure-rotation.ts';
import { namedAlgorithm, type Node } from '../../node/node-options.ts';
import { readKeptKey, requireRotation, rotationTarget } from '../../node/rotation/rotation.ts';
import { readRotatedFiles } from '../../node/rotation/rotated-files.ts';
import { readStatuses } from '../../node/rotation/statuses.ts';
import { factsOf } from '../../operations/change/certificate-facts.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import { defaultValidityMs } from '../../operations/issuing/validity.ts';
import { renew, verifyRenewed, type Renewed } from '../../operations/renewal/renew.ts';
import {
  acceptedIn,
  conditionNames,
  conditionsOf,
  isOpen,
  type Condition,
  type Finding,
} from '../../operations/rotation/conditions.ts';
import { readersOf } from '../../operations/rotation/edits.ts';
import {
  planStage,
  type LiveStage,
  type RotatedHere,
  type StagePlan,
} from '../../operations/rotation/plan-stage.ts';
import { planText } from '../../operations/rotation/plan-text.ts';
import type { Accepted } from '../../operations/rotation/plan.ts';
import type { KeptAuthority, Rotation } from '../../operations/rotation/rotation.ts';
import { completed } from '../../operations/rotation/next-step.ts';
import { orderOf, type RotationFiles } from '../../operations/rotation/state.ts';
import { rotationRecords, rotationReport } from '../../operations/rotation/rotation-report.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { randomSerialNumber } from '../../pki/issue/issue.ts';
import { rotatedLines } from '../../render/rotation/rotated.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { destroyOldKeys, requireFinished, requireItsId } from './destroy-old-keys.ts';
import { faultsHere } from './faults.ts';
import { refuse } from './refuse.ts';
import { splitFirst, whySigning } from './split.ts';
import type { RotateOptions } from './rotate-options.ts';

/** Each kubelet renews its Lease every 10 s, so that one that is refused is seen. */
const watchedMs = 12_000;

/** Brings this node to a stage, once its conditions are met on all nodes. */
export async function makeStage(
  stage: LiveStage,
  names: readonly CaName[] | undefined,
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  requireItsId(requireRotation(node), node, options);
  // What a run that was killed has left is brought to an end, so that what is decided is decided on the files as they stay.
  if (options.dryRun !== true) await underLock(node, options, terminal, () => Promise.resolve());
  const { rotation, plan: before } = planHere(stage, names, node, new Date());
  for (const error of before.errors) terminal.error(error);
  if (before.errors.length > 0) return exitCodes.error;
  const authorities = selected(rotation, names);
  if (options.destroyOldKey !== undefined) {
    requireFinished(
      node,
      rotation,
      authorities.map(({ name }) => name),
    );
  }
  // A node that is there already may have something to restart still, and something to be changed in the cluster.
  const isThere = before.authorities.length === 0;
  const conditions = isThere ? [] : await judge(stage, names, node, options, terminal);
  if (conditions.some(isOpen)) return refuse(stage, conditions, { node, options, terminal });
  const accepted = acceptedIn(conditions, { stage, time: isoSeconds(new Date()) });
  if (before.first.length > 0 && options.dryRun !== true) {
    const split = await splitFirst(names, node, options, terminal);
    if (split !== exitCodes.done) return split;
  }
  const plan = (way: Way): PlannedRun => decided(stage, names, { node, accepted, terminal }, way);
  const code = await changeNode(node, plan, options, terminal, { inUse: true });
  return code === exitCodes.done ? follow({ stage, authorities }, node, options, terminal) : code;
}

/** What is to be done once this node is at the stage: in the cluster, and at the very end with the old keys. */
async function follow(
  { stage, authorities }: { readonly stage: LiveStage; readonly authorities: readonly KeptAuthority[] },
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (stage === 'finish') return destroyOldKeys(node, options, terminal);
  const others = readStatuses(node, options.from ?? []);
  const isLastDistrust = others.every(
    (one) =>
      one.role === 'worker' ||
      one.authorities.every((authority) => orderOf(completed(authority)) >= orderOf('distrust')),
  );
  const isDone = await changeCluster({ stage, authorities, isLastDistrust }, node, options, terminal);
  return isDone ? exitCodes.done : exitCodes.changedButNotFinished;
}

/** What the stage waits for, as it is now. */
async function judge(
  stage: LiveStage,
  names: readonly CaName[] | undefined,
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<Condition[]> {
  const accepted = parseAccepted(options.accept ?? [], conditionNames);
  const rotation = requireRotation(node);
  const others = readStatuses(node, options.from ?? []);
  const authorities = selected(rotation, names).map(({ name }) => name);
  const asksForCertificate =
    stage === 'distrust' && authorities.includes('ca') && !accepted.includes('signer');
  // The probes of the next step are refused too, and counted.
  const isWatched = stage === 'finish' && authorities.includes('ca') && !accepted.includes('unauthorized');
  const refusals = isWatched ? { refusals: await watchRefusals(node, options, terminal) } : {};
  const own = await measureRotation(node, rotation, { ...options, asksForCertificate }, new Date(), terminal);
  const now = new Date();
  return conditionsOf(stage, {
    now,
    nodes: [own, ...others],
    authorities,
    faults: faultsHere(node, authorities, now).map(({ file, message }) => `${file}: ${message}`),
    accepted,
    ...refusals,
    signing: stage === 'trust' && authorities.includes('ca') ? whySigning(node, options) : undefined,
  });
}

async function watchRefusals(
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<readonly Finding[]> {
  const progress = terminal.progress('watching whether an API server refuses a client');
  try {
    const { measureRefusals } = await import('../../node/rotation/measure-refusals.ts');
    return await measureRefusals(node, options, { watchedMs, sleep });
  } finally {
    progress.end();
  }
}

function selected(
  { plan, authorities }: Rotation,
  names: readonly CaName[] | undefined,
): readonly KeptAuthority[] {
  if (names === undefined) return authorities;
  const missing = names.find((name) => !authorities.some((one) => one.name === name));
  if (missing === undefined) return authorities.filter(({ name }) => names.includes(name));
  throw new KubepkiError('conflict', `${missing} is not replaced in this rotation (${plan.id})`, {
    hint: `it is about: ${authorities.map(({ name }) => name).join(', ')}`,
  });
}

interface Context {
  readonly node: Node;
  /** The operator's word, which the plan is to remember. */
  readonly accepted: readonly Accepted[];
  readonly terminal: Terminal;
}

/** What is left to do for the stage on this node, by its files as they are now. */
function planHere(
  stage: LiveStage,
  names: readonly CaName[] | undefined,
  node: Node,
  now: Date,
): { readonly rotation: Rotation; readonly files: RotationFiles; readonly plan: StagePlan } {
  const rotation = requireRotation(node);
  const files = readRotatedFiles(node);
  const rotated = selected(rotation, names).map((one) => here(node, one));
  const plan = planStage(stage, rotated, files, {
    now,
    validityMs: node.config?.certificateValidityMs ?? defaultValidityMs,
    encryptionAlgorithm: namedAlgorithm(node),
    command: commandLine(node.flags),
  });
  return { rotation, files, plan };
}

function decided(
  stage: LiveStage,
  names: readonly CaName[] | undefined,
  { node, accepted, terminal }: Context,
  way: Way,
): PlannedRun {
  const now = new Date();
  const { rotation, files, plan } = planHere(stage, names, node, now);
  const { renewables } = plan;
  // A CA file that is at the stage already is not written again.
  const edits = realChanges([...plan.first, ...plan.edits, ...rememberedIn(rotation, accepted)]);
  const filesOf = (name: CaName): ReadonlySet<string> => ownFiles(node, files.inventory, name);
  const elsewhere = stage === 'switch' ? plan.elsewhere : [];
  const records = rotationRecords(stage, plan.authorities);
  const readers = readersOf(edits, files);
  return {
    now,
    errors: plan.errors,
    names: [...records.map(({ name }) => name), ...renewables.map(({ spec }) => spec.name)],
    arriving: {
      targets: [...edits.map(({ target }) => target), ...renewables.flatMap(({ place }) => place.changing)],
      signedBy: signingFiles(files.inventory, renewables),
    },
    make: async (put) => {
      put(edits);
      const renewed = await way.generateKeys(
        renewables,
        ({ keyAlgorithm }) => keyAlgorithm,
        (renewable, privateKey) => {
          const one = renew(renewable, { privateKey, serialNumber: randomSerialNumber() });
          put(one.changes);
          return one;
        },
        terminal,
      );
      return { ...changeOf(edits, renewed, plan, files.inventory), components: readers };
    },
    report: (step) =>
      rotationReport({ stage, authorities: plan.authorities, renewables, readers, filesOf }, step),
    text: (report) =>
      plan.authorities.length === 0
        ? `this node is at ${stage} already\n`
        : rotatedLines(stage, plan.authorities, report),
    remarks: (report) => {
      if (report.dryRun) return;
      if (elsewhere.length > 0) {
        terminal.note(
          `the keys are elsewhere: have the certificates of ${elsewhere.join(', ')} signed by the new CA`,
        );
        terminal.hint(
          `${commandLine(node.flags)('renew all --csr-only')}, then: ${commandLine(node.flags)('install')}`,
        );
        return;
      }
      const changed = edits.map(({ target }) => target.path);
      const isKubelets = changed.some((path) => path.endsWith(`/${kubeletKubeconfig.name}`));
      if (isKubelets || renewables.some(({ spec }) => spec === kubeletKubeconfig)) {
        noteKubelet('what has changed', terminal);
      }
      terminal.hint(`what is next: ${commandLine(node.flags)('ca rotate')}`);
    },
  };
}

function here(node: Node, authority: KeptAuthority): RotatedHere {
  const { name } = authority;
  const kept = {
    next: rotationTarget(node, `${name}.next.key`),
    old: rotationTarget(node, `${name}.old.key`),
  };
  const { content } = readKeptKey(node, name, 'next');
  if (content.status === 'unreadable') throw content.error;
  return { authority, kept, keptKey: content.status === 'present' ? content.value : undefined };
}

/** The operator's word is written down where the rotation is. */
function rememberedIn({ plan, planFile }: Rotation, accepted: readonly Accepted[]): ChangeSet {
  if (accepted.length === 0) return [];
  const others = plan.accepted.filter(
    ({ condition, stage }) => !accepted.some((one) => one.condition === condition && one.stage === stage),
  );
  const next = { ...plan, accepted: [...others, ...accepted] };
  return [replaceFile(planFile, planText(next), 0o600)];
}

function changeOf(
  edits: ChangeSet,
  renewed: readonly Renewed[],
  plan: StagePlan,
  inventory: Parameters<typeof signingFiles>[0],
): Change {
  return {
    changes: [...edits, ...renewed.flatMap(({ changes }) => changes)],
    signedBy: signingFiles(inventory, plan.renewables),
    stage: plan.stage,
    certificates: [
      ...rotationRecords(plan.stage, plan.authorities),
      ...renewed.map(({ renewable, certificate }) => ({
        name: renewable.spec.name,
        old: factsOf(renewable.chain[0]),
        new: factsOf(certificate),
      })),
    ],
    verify: (read) => {
      requireWritten(edits, read);
      for (const one of renewed) verifyRenewed(one, read);
    },
    unlinked: renewed.flatMap(({ renewable: { place } }) => place.unlinked ?? []),
  };
}

function ownFiles(
  node: Node,
  { layout: { certDir } }: Parameters<typeof signingFiles>[0],
  name: CaName,
): ReadonlySet<string> {
  const { baseName } = certificateAuthority(name);
  const kept = (['old.key', 'next.key'] as const).map((part) => rotationTarget(node, `${name}.${part}`).path);
  return new Set([`${certDir}/${baseName}.crt`, `${certDir}/${baseName}.key`, ...kept]);
}
