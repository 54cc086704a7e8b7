import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
import { openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { requireRotation } from '../../node/rotation.ts';
import { readStatuses } from '../../node/statuses.ts';
import { stateOf } from '../../node/waiting.ts';
import {
  nothingToTakeBack,
  stageOfChange,
  standingInTheWay,
  strangeStatuses,
} from '../../operations/rotation/way-back.ts';
import { stepBack } from '../../operations/rollback/rollback-choice.ts';
import { listBackups } from '../../storage/backup.ts';
import type { BackupManifest } from '../../storage/manifest.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { rollBackChange, type RollbackOptions } from './rollback.ts';

export interface CaRollbackOptions extends RollbackOptions, Typed<'from' | 'accept'> {}

/** Takes the last stage of the rotation back on this node. */
export async function rollBackStage(options: CaRollbackOptions, terminal: Terminal): Promise<ExitCode> {
  const node = openNode(options, await readConfiguration(options, terminal));
  const rotation = requireRotation(node);
  const [oldest, ...newer] = lastStage(node);
  const stage = oldest && stageOfChange(oldest);
  if (oldest === undefined || stage === undefined) throw nothingToTakeBack(rotation.planFile.path);
  const others = readStatuses(node, options.from ?? []);
  const command = commandLine(node.flags);
  // A node that has taken `prepare` back knows of no rotation any more, and stands in no one's way.
  const strange = stage === 'prepare' ? [] : strangeStatuses(rotation.plan, others, new Date());
  const [first, ...more] = [...strange, ...standingInTheWay(stage, others)];
  if (first !== undefined) {
    throw new KubepkiError('in-use', [first, ...more].map(({ reason }) => reason).join('; '), {
      hint: `ask it again: kubepki ca status -o json; a node that is ahead goes back first: ${command('ca rollback')}`,
    });
  }
  if (others.length === 0 && stage !== 'prepare' && options.accept?.includes('nodes') !== true) {
    throw new KubepkiError('in-use', 'it is not known where the other nodes are: none has sent its status', {
      hint: `with what "kubepki ca status -o json" prints there: ${command('ca rollback --from FILE,FILE')}; or, your word that none is further than ${stage}: ${command('ca rollback --accept nodes')}`,
    });
  }
  return rollBackChange(oldest.id, { ...options, ofRotation: { newer } }, terminal);
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
