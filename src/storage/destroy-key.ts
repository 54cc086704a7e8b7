import { dirname, join } from 'node:path';
import { entriesIn, onFile } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { backupNames, removeBackup } from './backup.ts';
import { removeIfThere, syncDirectory } from './durable.ts';
import { readOwn, type StateDirectory } from './state-directory.ts';

/** Where a key that is to be destroyed is kept, or its public half. */
export interface KeptKey {
  /** Its own file in the state directory; undefined: it is not there. */
  readonly file: string | undefined;
  /** The IDs of the backups in which it is. */
  readonly backups: readonly string[];
}

/**
 * Looks for a key in its own file and in every backup, those among them whose manifest is damaged. Changes nothing.
 * @param name of its file in the state directory
 * @throws KubepkiError no-permission, not-a-file, io: then it is not known where it is
 */
export function findKept(state: StateDirectory, name: string, isTheKey: (bytes: Buffer) => boolean): KeptKey {
  const holds = (path: string): boolean => {
    const file = readOwn(path);
    return file !== undefined && isTheKey(file.bytes);
  };
  const own = join(state.path, name);
  return {
    file: holds(own) ? own : undefined,
    backups: backupNames(state).filter((id) => {
      const directory = join(state.backups, id);
      return entriesIn(directory, directory).some(
        (entry) => entry.isFile() && holds(join(directory, entry.name)),
      );
    }),
  };
}

/**
 * Removes the backups that hold the key, whole, and then its own file: as long as that is there, a run that was killed can be made again.
 * Call it under the lock.
 * @throws KubepkiError no-permission, io
 */
export function destroyKept(state: StateDirectory, { file, backups }: KeptKey): void {
  for (const id of backups) removeBackup(state, id);
  if (file === undefined) return;
  onFile(file, () => {
    if (!exists(file, file)) return;
    removeIfThere(file);
    syncDirectory(dirname(file));
  });
}
