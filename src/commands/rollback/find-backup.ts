import { join } from 'node:path';
import type { ChangePlace } from '../../changeset/past-change.ts';
import { KubepkiError } from '../../errors/error.ts';
import { meantBy, redoable, stepBack } from '../../operations/rollback/rollback-choice.ts';
import { listBackups, type BackupList } from '../../storage/backup.ts';
import type { BackupManifest } from '../../storage/manifest.ts';
import { commandHere, type StateDirectory } from '../../storage/state-directory.ts';

/**
 * Without a word it goes only further back: a second rollback does not bring again what the first took away.
 * @param word a backup's ID, its beginning, or its number; undefined: the newest whose change is still in place
 * @throws KubepkiError no-backup
 */
export function findBackup(state: StateDirectory, word: string | undefined): BackupManifest {
  const list = listBackups(state);
  return word === undefined ? nextBack(state, list) : named(state, list, word);
}

/** The one that a rollback without a name would bring back. */
export function backupBefore(state: StateDirectory, reached?: ChangePlace): BackupManifest | undefined {
  const step = stepBack(listBackups(state), reached);
  return step.kind === 'found' ? step.backup : undefined;
}

function nextBack(state: StateDirectory, list: BackupList): BackupManifest {
  const step = stepBack(list);
  switch (step.kind) {
    case 'found':
      return reachable(state, step.backup);
    case 'damaged':
      throw damagedError(
        state,
        list,
        step.id,
        step.reached === undefined ? 'may be the newest: ' : 'may be the next further back: ',
      );
    case 'none': {
      if (step.reached !== undefined) throw nothingFurther(state, list, step.reached);
      throw unknownError(state, 'there is no backup yet');
    }
  }
}

function named(state: StateDirectory, list: BackupList, word: string): BackupManifest {
  const { backups, damaged } = meantBy(list, word);
  const ids = [...backups.map(({ id }) => id), ...damaged];
  if (ids.length > 1) {
    throw new KubepkiError(
      'no-backup',
      `${JSON.stringify(word)} may be any of ${String(ids.length)} backups`,
      {
        file: state.backups,
        hint: `name one of them: ${ids.sort().reverse().join(', ')}`,
      },
    );
  }
  const [found] = backups;
  if (found !== undefined) return reachable(state, found);
  const [broken] = damaged;
  if (broken !== undefined) throw damagedError(state, list, broken, '');
  const what = /^\d+$/.test(word) ? `backup number ${word}` : `backup ${JSON.stringify(word)}`;
  throw unknownError(state, `there is no ${what}`);
}

function unknownError(state: StateDirectory, message: string): KubepkiError {
  return new KubepkiError('no-backup', message, { file: state.backups, hint: listing(state) });
}

function damagedError(
  state: StateDirectory,
  { damaged }: BackupList,
  id: string,
  before: string,
): KubepkiError {
  const oneLine = damaged.find((one) => one.id === id)?.error.oneLine ?? 'is damaged';
  return new KubepkiError('no-backup', `${before}${oneLine}`, {
    file: join(state.backups, id),
    hint: `name the backup to bring back: ${listing(state)}`,
  });
}

function nothingFurther(state: StateDirectory, { backups }: BackupList, { id }: ChangePlace): KubepkiError {
  const redo = redoable(backups).map((one) => commandHere(state, `rollback ${one.id}`));
  return new KubepkiError(
    'no-backup',
    `nothing is further back: the last rollback went to before ${id}, and no backup is older`,
    {
      file: state.backups,
      hint: redo.length === 0 ? listing(state) : `to redo what was taken back: ${redo.join(', then ')}`,
    },
  );
}

/** Nothing has changed yet, and so nothing is unfinished. */
function reachable(state: StateDirectory, backup: BackupManifest): BackupManifest {
  const { id, unreachable } = backup;
  if (unreachable === undefined) return backup;
  throw new KubepkiError('no-backup', `holds a file that cannot be brought back: ${unreachable.oneLine}`, {
    file: join(state.backups, id),
    hint: unreachable.hint,
    cause: unreachable,
  });
}

function listing(state: StateDirectory): string {
  return `${commandHere(state, 'history')} lists them`;
}
