import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Typed } from '../../flags/table.ts';
import { openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { requireRotation } from '../../node/rotation.ts';
import { readStatuses } from '../../node/statuses.ts';
import { stateOf } from '../../node/waiting.ts';
import { nothingToTakeBack, stageOfCommand, standingInTheWay } from '../../operations/rotation/way-back.ts';
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
  const backup = lastStage(node);
  const stage = backup && stageOfCommand(backup.command);
  if (backup === undefined || stage === undefined) throw nothingToTakeBack(rotation.planFile.path);
  const others = readStatuses(node, options.from ?? []);
  const again = commandLine(node.flags);
  const [first, ...more] = standingInTheWay(stage, others);
  if (first !== undefined) {
    throw new KubepkiError('in-use', [first, ...more].map(({ reason }) => reason).join('; '), {
      hint: `first there: ${again('ca rollback')}`,
    });
  }
  if (others.length === 0 && stage !== 'prepare' && options.accept?.includes('nodes') !== true) {
    throw new KubepkiError('in-use', 'it is not known where the other nodes are: none has sent its status', {
      hint: `with what "kubepki ca status -o json" prints there: ${again('ca rollback --from FILE,…')}; or, your word that none is further than ${stage}: ${again('ca rollback --accept nodes')}`,
    });
  }
  return rollBackChange(backup.id, { ...options, ofRotation: true }, terminal);
}

/** The newest stage that is not taken back yet. Other changes since are older than what comes back, and are passed over. */
function lastStage(node: Node): BackupManifest | undefined {
  const { backups, damaged } = listBackups(stateOf(node));
  const stages = backups.filter(({ command }) => stageOfCommand(command) !== undefined);
  const ids = new Set(stages.map(({ id }) => id));
  const own = backups.filter(
    ({ id, restored }) => ids.has(id) || (restored !== null && ids.has(restored.id)),
  );
  const step = stepBack({ backups: own, damaged });
  return step.kind === 'found' ? step.backup : undefined;
}
