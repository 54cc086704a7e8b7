import { underLock } from '../../change/session.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { parseAccepted } from '../../flags/names/accepted.ts';
import type { Typed } from '../../flags/table.ts';
import { openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { isControlPlane, nodeName, readRotatedFiles } from '../../node/rotation/rotated-files.ts';
import { requireRotation } from '../../node/rotation/rotation.ts';
import { readStatuses } from '../../node/rotation/statuses.ts';
import { stateOf } from '../../node/waiting.ts';
import { standings } from '../../operations/rotation/next-step.ts';
import { stages, type Stage } from '../../operations/rotation/plan.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import { orderOf } from '../../operations/rotation/state.ts';
import type { NodeStatus } from '../../operations/rotation/status.ts';
import {
  leftBehind,
  nothingToTakeBack,
  stageOfChange,
  standingInTheWay,
  strangeStatuses,
} from '../../operations/rotation/way-back.ts';
import { stepBack } from '../../operations/rollback/rollback-choice.ts';
import { listBackups } from '../../storage/backup.ts';
import type { BackupManifest } from '../../storage/manifest.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { rollBackChange, type RollbackOptions } from './rollback.ts';

export interface CaRollbackOptions extends RollbackOptions, Typed<'from' | 'accept' | 'offline'> {}

/** Takes the last stage of the rotation back on this node. */
export async function rollBackStage(options: CaRollbackOptions, terminal: Terminal): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  parseAccepted(options.accept ?? [], ['nodes']);
  const rotation = requireRotation(node);
  // What a run that was killed has left is brought to an end first, as it may be the last stage.
  if (options.dryRun !== true) await underLock(node, options, terminal, () => Promise.resolve());
  const [oldest, ...newer] = lastStage(node);
  const stage = oldest && stageOfChange(oldest);
  if (oldest === undefined || stage === undefined) throw nothingToTakeBack(rotation.planFile.path);
  const command = commandLine(node.flags);
  requireNothingLeft(stage, [oldest, ...newer], { node, rotation });
  const others = readStatuses(node, options.from ?? []);
  // A node that has taken `prepare` back knows of no rotation any more, and stands in no one's way.
  const strange = stage === 'prepare' ? [] : strangeStatuses(rotation.plan, others, new Date());
  const [first, ...more] = [...strange, ...standingInTheWay(stage, others)];
  if (first !== undefined) {
    throw new KubepkiError('in-use', [first, ...more].map(({ reason }) => reason).join('; '), {
      hint: `ask it again: kubepki ca status -o json; a node that is ahead goes back first: ${command('ca rollback')}`,
    });
  }
  if (stage !== 'prepare' && options.accept?.includes('nodes') !== true) {
    await requireAllNodes(stage, others, node, options);
  }
  const code = await rollBackChange(oldest.id, { ...options, ofRotation: { newer } }, terminal);
  return code === exitCodes.done ? follow(stage, { rotation, others }, node, options, terminal) : code;
}

/** Where the cluster can be asked, each of its nodes must have sent its status; where it cannot, some must. @throws KubepkiError in-use */
async function requireAllNodes(
  stage: Stage,
  others: readonly NodeStatus[],
  node: Node,
  options: CaRollbackOptions,
): Promise<void> {
  const { readNodeNames } = await import('../../node/rotation/change-cluster.ts');
  const known = [nodeName(readRotatedFiles(node)), ...others.map((one) => one.node)];
  const names = await readNodeNames(node, options);
  const silent = names?.filter((name) => !known.includes(name));
  if (silent === undefined ? others.length > 0 : silent.length === 0) return;
  const command = commandLine(node.flags);
  throw new KubepkiError(
    'in-use',
    silent === undefined
      ? 'it is not known where the other nodes are: none has sent its status'
      : `nothing is known of ${silent.join(', ')}: no status was sent`,
    {
      hint: `with what "kubepki ca status -o json" prints there: ${command('ca rollback --from FILE,FILE')}; or, your word that none is further than ${stage}: ${command('ca rollback --accept nodes')}`,
    },
  );
}

/** What is to be done once this node has gone back: in the cluster, and on the nodes that have not. */
async function follow(
  stage: Stage,
  { rotation, others }: { readonly rotation: Rotation; readonly others: readonly NodeStatus[] },
  node: Node,
  options: CaRollbackOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const before = stages[orderOf(stage) - 1];
  if (options.dryRun === true || before === undefined) return exitCodes.done;
  if (others.length === 0) {
    terminal.note(
      `back at ${before}: each node that is at ${stage} goes back too, before any goes back further`,
    );
  }
  const left = standings(others).filter((one) => orderOf(one.stage) >= orderOf(stage));
  if (left.length > 0) {
    terminal.hint(
      `${stage} is still to be taken back on ${left.map((one) => one.node).join(', ')}: kubepki ca rollback`,
    );
  }
  terminal.hint(`where the rotation is: ${commandLine(node.flags)('ca rotate')}`);
  if (!isControlPlane(readRotatedFiles(node))) return exitCodes.done;
  const { changeCluster } = await import('../../node/rotation/change-cluster.ts');
  const { authorities } = rotation;
  const isDone = await changeCluster(
    { stage: before, authorities, isLastDistrust: false },
    node,
    options,
    terminal,
  );
  return isDone ? exitCodes.done : exitCodes.changedButNotFinished;
}

/** @throws KubepkiError in-use */
function requireNothingLeft(
  stage: Stage,
  backups: readonly BackupManifest[],
  { node, rotation }: { readonly node: Node; readonly rotation: Rotation },
): void {
  const names = new Set(backups.flatMap(({ certificates }) => certificates.map(({ name }) => name)));
  const recorded = rotation.authorities.filter(({ name }) => names.has(name));
  const left = leftBehind(
    stage,
    recorded.length === 0 ? rotation.authorities : recorded,
    readRotatedFiles(node),
    new Set(backups.flatMap(({ files }) => files.map(({ path }) => path))),
  );
  if (left.length === 0) return;
  throw new KubepkiError('in-use', `${left.join('; ')}, which is not taken back with ${stage}`, {
    hint: `have each certificate signed by the CA that signs here now: ${commandLine(node.flags)('certs renew NAME')}; where a later stage has no backup any more, go on: ${commandLine(node.flags)('ca rotate')}`,
  });
}

/**
 * The changes of the last stage that is not taken back yet, the oldest first: there are several where a run was made again. Other changes
 * since are passed over.
 */
function lastStage(node: Node): BackupManifest[] {
  const { backups, damaged } = listBackups(stateOf(node));
  const ofStages = new Set(backups.flatMap((one) => (stageOfChange(one) === undefined ? [] : [one.id])));
  const own = backups.filter(
    ({ id, restored }) => ofStages.has(id) || (restored !== null && ofStages.has(restored.id)),
  );
  const found: BackupManifest[] = [];
  for (let step = stepBack({ backups: own, damaged }); step.kind === 'found';) {
    const { backup } = step;
    const [newest = backup] = found;
    if (stageOfChange(backup) !== stageOfChange(newest)) break;
    found.push(backup);
    step = stepBack({ backups: own, damaged }, backup);
  }
  return found.reverse();
}
