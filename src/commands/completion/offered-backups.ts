import { join } from 'node:path';
import { exists } from '../../filesystem/regular-file.ts';
import { backupNames } from '../../storage/backup.ts';
import { manifestName } from '../../storage/manifest.ts';
import { stateDirectoryOf } from '../../storage/state-directory.ts';
import { planNode, readConfiguration, type NodeOptions } from '../../node/node-options.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** The IDs of the complete backups, the newest first. Only names are read, and no lock is taken. */
export async function offeredBackups(options: NodeOptions, terminal: Terminal): Promise<readonly string[]> {
  const { layout } = planNode(options, await readConfiguration(options, terminal));
  const state = stateDirectoryOf({ ...layout, flags: [] });
  return backupNames(state)
    .filter((id) => exists(join(state.backups, id, manifestName), state.backups))
    .reverse();
}
