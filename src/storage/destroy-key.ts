import { dirname, join } from 'node:path';
import type { RotationPlan } from '../operations/rotation/plan.ts';
import { entriesIn, onFile } from '../filesystem/filesystem-error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { backupNames, removeBackup } from './backup.ts';
import { removeIfThere, syncDirectory } from './durable.ts';
import { readRotationFile, type RotationFileName, type RotationFilePart } from './rotation-files.ts';
import { readOwn, removeIfEmpty, type StateDirectory } from './state-directory.ts';

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
  const holds = holding(isTheKey);
  const own = join(state.path, name);
  return {
    file: holds(own) ? own : undefined,
    backups: backupsWith(state, holds),
  };
}

function holding(isTheKey: (bytes: Buffer) => boolean): (path: string) => boolean {
  return (path) => {
    const file = readOwn(path);
    return file !== undefined && isTheKey(file.bytes);
  };
}

function backupsWith(state: StateDirectory, holds: (path: string) => boolean): readonly string[] {
  return backupNames(state).filter((id) => {
    const directory = join(state.backups, id);
    return entriesIn(directory, directory).some(
      (entry) => entry.isFile() && holds(join(directory, entry.name)),
    );
  });
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

const keys: readonly RotationFilePart[] = ['old.key', 'next.key'];
const certificates: readonly RotationFilePart[] = ['old.crt', 'next.crt', 'cross.crt'];

/**
 * Ends a rotation: the old keys go first, then each backup that holds one, then the plan. So where it is killed in between, the same
 * again goes on. The certificates, without which the plan could not be read, go last: they are public.
 * @param isOldKey whether these bytes are the key of a CA that was replaced
 * @returns the IDs of the backups that are gone
 * @throws KubepkiError io, no-permission, not-a-file
 */
export function destroyRotation(
  state: StateDirectory,
  { authorities }: RotationPlan,
  isOldKey: (bytes: Buffer) => boolean,
): readonly string[] {
  const files = (parts: readonly RotationFilePart[]): readonly string[] =>
    authorities.flatMap(({ name }) =>
      parts.map((part) => readRotationFile(state, `${name}.${part}`).target.resolvedPath),
    );
  for (const path of files(keys)) removeIfThere(path);
  const backups = backupsWith(state, holding(isOldKey));
  for (const id of backups) removeBackup(state, id);
  const plan: RotationFileName = 'plan.json';
  const { resolvedPath } = readRotationFile(state, plan).target;
  const certificateFiles = files(certificates);
  syncDirectory(dirname(resolvedPath));
  removeIfThere(resolvedPath);
  syncDirectory(dirname(resolvedPath));
  for (const path of certificateFiles) removeIfThere(path);
  removeIfEmpty(dirname(resolvedPath));
  return backups;
}
