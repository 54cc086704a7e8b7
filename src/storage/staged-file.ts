import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { FileChange } from '../changeset/change-set.ts';
import { errnoOf, filesystemError } from '../filesystem/filesystem-error.ts';

/** A new file that waits beside its target, complete and on disk, for one rename(2). */
export interface StagedFile {
  readonly change: FileChange;
  readonly stagedPath: string;
}

/**
 * Writes a change's new content beside its resolved target, so that the rename stays on one file system. The name
 * begins with a dot and does not end like a certificate: nothing that watches the directory takes it for one.
 * @throws KubepkiError no-permission, io; nothing is left behind
 */
export function stageFile(change: FileChange): StagedFile {
  const { target, after } = change;
  const directory = dirname(target.resolvedPath);
  const name = `.${basename(target.resolvedPath)}.kubepki-${randomBytes(6).toString('hex')}`;
  const stagedPath = join(directory, name);
  try {
    writeNewFile(stagedPath, change);
  } catch (cause) {
    throw filesystemError(cause, target.path);
  }
  return { change: { target, after }, stagedPath };
}

/** Removes a staged file; one that is gone already is fine. */
export function removeStaged(staged: StagedFile): void {
  try {
    unlinkSync(staged.stagedPath);
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw filesystemError(cause, staged.stagedPath);
  }
}

function writeNewFile(path: string, { after }: FileChange): void {
  // EXCL and NOFOLLOW: a file or symlink that somebody planted at this name is an error, never written through.
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const descriptor = openSync(path, flags, 0o600);
  try {
    // Owner before mode: chown clears set-id bits. Both before the first byte: nobody else ever opens it half private.
    if (after.owner !== undefined) fchownSync(descriptor, after.owner.uid, after.owner.gid);
    // Also where the mode is 0600 already: open(2) subtracts the umask.
    fchmodSync(descriptor, after.mode);
    for (let offset = 0; offset < after.content.length;) {
      offset += writeSync(descriptor, after.content, offset);
    }
    fsyncSync(descriptor);
  } catch (cause) {
    closeSync(descriptor);
    unlinkSync(path);
    throw cause;
  }
  closeSync(descriptor);
}
