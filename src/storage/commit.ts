import { closeSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ChangeSet, FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import { removeStaged, stageFile, type StagedFile } from './staged-file.ts';

/** Reads what a target will hold when the commit is through: the staged file, or what is there and stays. */
export type ReadStaged = (target: FileTarget) => Buffer;

/**
 * Writes a ChangeSet: every new file staged and fsynced beside its target, read back and verified, and only then
 * renamed into place. Synchronous from the first write to the last, so that a signal is handled before or after it.
 * @param verify throws when what was read back from disk is not what it should be; then nothing is changed
 * @throws KubepkiError conflict when a target is not what the change was made against
 */
export function commit(changes: ChangeSet, verify: (read: ReadStaged) => void): void {
  const staged: StagedFile[] = [];
  try {
    for (const change of changes) staged.push(stageFile(change));
    verify((target) => readStaged(target, staged));
    for (const { target } of changes) requireUnchanged(target);
  } catch (error) {
    staged.forEach(removeStaged);
    throw error;
  }
  for (const { change, stagedPath } of staged) {
    try {
      renameSync(stagedPath, change.target.resolvedPath);
    } catch (cause) {
      staged.forEach(removeStaged);
      throw filesystemError(cause, change.target.path);
    }
  }
  for (const directory of new Set(changes.map(({ target }) => dirname(target.resolvedPath)))) {
    syncDirectory(directory);
  }
}

function readStaged(target: FileTarget, staged: readonly StagedFile[]): Buffer {
  const found = staged.find(({ change }) => change.target.resolvedPath === target.resolvedPath);
  const file = readRegularFile(found?.stagedPath ?? target.resolvedPath, target.path);
  if (file === undefined)
    throw new KubepkiError('verification', 'disappeared before it was read back', { file: target.path });
  return file.bytes;
}

/** kubeadm, or a person, may have renewed in the meantime: what we did not read we do not replace. */
function requireUnchanged(target: FileTarget): void {
  const now = readRegularFile(target.resolvedPath, target.path);
  if (now?.sha256 === target.before?.sha256) return;
  throw new KubepkiError('conflict', 'was changed by somebody else in the meantime', {
    file: target.path,
    hint: 'run the command again',
  });
}

// A rename is on disk only when its directory is.
function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
