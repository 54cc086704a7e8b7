import { lstatSync } from 'node:fs';
import { geteuid } from 'node:process';
import type { FileTarget } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { filesystemError } from '../filesystem/filesystem-error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

/**
 * What must be true of all targets of a change together, before anything is prepared.
 * @throws KubepkiError conflict when two of them are one file, no-permission for somebody else's symlink
 */
export function requireSafeTargets(root: FileSystemRoot, targets: readonly FileTarget[]): void {
  requireDistinct(targets);
  requireTrustedLinks(root, targets);
}

function requireDistinct(targets: readonly FileTarget[]): void {
  const seen = new Map<string, string>();
  for (const { path, resolvedPath } of targets) {
    const other = seen.get(resolvedPath);
    if (other !== undefined) {
      throw new KubepkiError('conflict', `is the same file as ${other}, and both would be written`, {
        file: path,
        hint: 'give each certificate and each key a file of its own; where two certificates share one, take them one by one',
      });
    }
    seen.set(resolvedPath, path);
  }
}

/**
 * Whoever owns a symlink on the way to a target decides which file is overwritten, with our rights: only root and
 * ourselves may. (The kernel's fs.protected_symlinks says the same, but only of sticky directories.)
 */
function requireTrustedLinks(root: FileSystemRoot, targets: readonly FileTarget[]): void {
  const trusted = [0, geteuid?.()];
  for (const { path } of targets) {
    for (const link of root.linksOnTheWay(path)) {
      const owner = ownerOf(link);
      if (trusted.includes(owner)) continue;
      throw new KubepkiError(
        'no-permission',
        `the symbolic link ${link} belongs to uid ${String(owner)}, who would decide which file is overwritten`,
        { file: path, hint: `if it leads where it should, make it yours: chown -h root ${shellWord(link)}` },
      );
    }
  }
}

function ownerOf(link: string): number {
  try {
    return lstatSync(link).uid;
  } catch (cause) {
    throw filesystemError(cause, link);
  }
}
