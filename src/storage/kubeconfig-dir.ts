import { randomBytes } from 'node:crypto';
import { accessSync, constants, fsyncSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';
import { kubeconfigLockName } from '../filesystem/own-names.ts';
import { exists, readRegularFile } from '../filesystem/regular-file.ts';
import { syncDirectory } from './durable.ts';
import type { LockFile } from './lock-file.ts';
import type { StateDirectory } from './state-directory.ts';

/**
 * What is locked in the kubeconfig dir; undefined where no kubeconfig can be replaced: the directory is not there, or this
 * run may not write to it (another machine's, mounted read-only; another user's).
 * @throws KubepkiError not-a-file, no-permission, io
 */
export function kubeconfigLockPath(state: StateDirectory): string | undefined {
  const directory = state.root.resolve(state.kubeconfigDir);
  return exists(directory, state.kubeconfigDir) && isWritable(directory)
    ? join(directory, kubeconfigLockName)
    : undefined;
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch (cause) {
    if (['EACCES', 'EROFS'].includes(errnoOf(cause) ?? '')) return false;
    throw filesystemError(cause, directory);
  }
}

/**
 * The name that was given to the kubeconfig dir. It is in the lock file there: by it the directory is known through another
 * mount, and two directories that were mounted at the same path are told apart.
 */
export function kubeconfigDirName({ root, kubeconfigDir }: StateDirectory): string | undefined {
  const path = join(kubeconfigDir, kubeconfigLockName);
  try {
    const text = readRegularFile(join(root.resolve(kubeconfigDir), kubeconfigLockName), path)?.bytes.toString(
      'latin1',
    );
    return text === undefined ? undefined : /^([0-9a-f]{32})\n$/.exec(text)?.[1];
  } catch (error) {
    // Another user's, or none of ours: that is said by the run that wants the lock.
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}

/** Gives the directory a name, once. Call it under the lock. @throws KubepkiError io */
export function nameKubeconfigDir({ path, descriptor }: LockFile): void {
  try {
    writeSync(descriptor, `${randomBytes(16).toString('hex')}\n`, 0);
    // A journal may speak of it: so it is on disk before.
    fsyncSync(descriptor);
    syncDirectory(dirname(path));
  } catch (cause) {
    // A full disk must not keep an interrupted change from being brought to an end. Half a name is none.
    if (!['ENOSPC', 'EDQUOT'].includes(errnoOf(cause) ?? '')) throw filesystemError(cause, path);
  }
}
