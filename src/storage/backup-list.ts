import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { backupId, manifestName, readManifest, type BackupManifest } from './manifest.ts';
import { commandHere, type StateDirectory } from './state-directory.ts';

export interface BackupList {
  /** Complete ones, the newest first. */
  readonly backups: readonly BackupManifest[];
  /** Those whose manifest cannot be read or understood: one must not hide the others. */
  readonly damaged: readonly { readonly id: string; readonly error: KubepkiError }[];
}

/** @throws KubepkiError no-permission, io for the directory of all of them */
export function listBackups(state: StateDirectory): BackupList {
  const backups: BackupManifest[] = [];
  const damaged: { id: string; error: KubepkiError }[] = [];
  for (const id of backupNames(state)) {
    const manifest = readOne(state, id);
    if (manifest instanceof KubepkiError) damaged.push({ id, error: manifest });
    else if (manifest !== undefined) backups.push(manifest);
  }
  return { backups: backups.sort((a, b) => b.sequence - a.sequence), damaged };
}

function readOne(state: StateDirectory, id: string): BackupManifest | KubepkiError | undefined {
  const file = join(state.backups, id, manifestName);
  try {
    const manifest = readManifest(state, id);
    if (manifest !== 'damaged') return manifest;
    return new KubepkiError('no-backup', 'is not a manifest of this version of kubepki', { file });
  } catch (cause) {
    return filesystemError(cause, file);
  }
}

/**
 * @param id undefined: the newest
 * @throws KubepkiError no-backup
 */
export function findBackup(state: StateDirectory, id: string | undefined): BackupManifest {
  const { backups, damaged } = listBackups(state);
  const list = `${commandHere(state, 'history')} lists them`;
  const found = id === undefined ? backups[0] : backups.find((backup) => backup.id === id);
  const broken = damaged.find((one) => (id === undefined ? one.id > (found?.id ?? '') : one.id === id));
  if (broken !== undefined) {
    const { oneLine } = broken.error;
    throw new KubepkiError('no-backup', id === undefined ? `may be the newest: ${oneLine}` : oneLine, {
      file: join(state.backups, broken.id),
      hint: `name the backup to bring back: ${list}`,
    });
  }
  if (found === undefined) {
    throw new KubepkiError(
      'no-backup',
      id === undefined ? 'there is no backup yet' : `there is no backup ${JSON.stringify(id)}`,
      { file: state.backups, hint: list },
    );
  }
  if (found.stateDirectory === state.path) return found;
  throw new KubepkiError(
    'no-backup',
    `was made in ${found.stateDirectory}, and would change the files there`,
    {
      file: join(state.backups, found.id),
      hint: 'bring it back there, or copy the files out of it by hand',
    },
  );
}

/** Of the directory's names only those that we give. */
export function backupNames(state: StateDirectory): string[] {
  try {
    return (
      readdirSync(state.backups, { withFileTypes: true })
        // We make directories. A symlink with such a name leads to what is not ours to read or to remove.
        .filter((entry) => entry.isDirectory() && backupId.test(entry.name))
        .map(({ name }) => name)
        .sort()
    );
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw filesystemError(cause, state.backups);
  }
}
