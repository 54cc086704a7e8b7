import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { FileTarget, SigningFiles } from '../changeset/change-set.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { errnoOf, filesystemError, onFile } from '../filesystem/filesystem-error.ts';
import { isForeign, isOpenToOthers } from '../filesystem/owner.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';

/**
 * What must be true of all targets of a change together, before anything is prepared.
 * @throws KubepkiError conflict when two of them are one file; no-permission where another user decides what is written where
 */
export function requireSafeTargets(
  root: FileSystemRoot,
  targets: readonly FileTarget[],
  signedBy: readonly SigningFiles[] = [],
): void {
  requireDistinct(targets);
  requireTrustedLinks(root, targets);
  requireOwnDirectories(targets);
  for (const target of targets) requireNamersOwn(target);
  for (const files of signedBy) requireSignersOwn(root, files);
}

/** Whether root may write there, of a file that keeps no other from changing. */
export function whyUnsafe(root: FileSystemRoot, target: FileTarget): KubepkiError | undefined {
  try {
    requireSafeTargets(root, [target]);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return error;
  }
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
 * The owner of a symlink on the way to a target decides which file is overwritten, with our rights: the owner
 * must be root or ourselves. (The kernel's fs.protected_symlinks says the same, but only of sticky
 * directories.)
 */
function requireTrustedLinks(root: FileSystemRoot, targets: readonly FileTarget[]): void {
  const foreign = targets.flatMap(({ path }) => foreignLinks(root, path));
  const [first] = foreign;
  if (first === undefined) return;
  const links = [...new Set(foreign.map(({ link }) => link))];
  throw new KubepkiError(
    'no-permission',
    `the symbolic link ${first.link} belongs to uid ${String(first.uid)}, who would decide which file is overwritten`,
    {
      file: first.path,
      hint:
        links.length === 1
          ? `if it leads where it should, make it yours: ${chownLinks(links)}`
          : `if all ${String(links.length)} such links lead where they should, make them yours: ${chownLinks(links)}`,
    },
  );
}

function chownLinks(links: readonly string[]): string {
  return `chown -h root ${links.map(shellWord).join(' ')}`;
}

/** A user who may write to a directory may put another file in the place of each that is in it, at any moment. */
function requireOwnDirectories(targets: readonly FileTarget[]): void {
  const directories = new Set(targets.map(({ resolvedPath }) => dirname(resolvedPath)));
  for (const directory of directories) {
    const stats = lookFor(directory);
    if (stats === undefined || !isOpenToOthers(stats)) continue;
    throw new KubepkiError('no-permission', 'is a directory that other users can write to', {
      file: directory,
      hint: `make it its owner's alone: chmod go-w ${shellWord(directory)}`,
    });
  }
}

/** A foreign kubeconfig leads only to its owner's own files, in a directory of the same owner's. */
function requireNamersOwn({ path, resolvedPath, before, namedBy }: FileTarget): void {
  if (namedBy?.foreign !== true) return;
  const directory = dirname(resolvedPath);
  const owners = [before?.uid, look(directory).uid].filter((uid) => uid !== undefined);
  if (owners.every((uid) => uid === namedBy.uid)) return;
  throw new KubepkiError(
    'no-permission',
    `is named by ${namedBy.path}, which belongs to uid ${String(namedBy.uid)}, but the file and its directory do not`,
    {
      file: path,
      hint: `give the file and its directory to uid ${String(namedBy.uid)}, or have the kubeconfig name another file`,
    },
  );
}

/**
 * The owner of a CA's certificate decides what signs and what is trusted. So the CA of a foreign owner is used only for files
 * that this owner can replace already.
 *
 * The owner of the CA's key does not matter, as the key fits the certificate. (In kubeadm's rootless control planes it belongs
 * to the user of kube-controller-manager.)
 */
function requireSignersOwn(root: FileSystemRoot, { certificate, targets }: SigningFiles): void {
  const { path, before } = certificate;
  for (const { link, uid } of foreignLinks(root, path)) {
    if (uid === before?.uid) continue;
    throw new KubepkiError(
      'no-permission',
      `the symbolic link ${link} belongs to uid ${String(uid)}, who would decide which CA is used`,
      { file: path, hint: `if it leads where it should, make it yours: ${chownLinks([link])}` },
    );
  }
  if (before?.foreign !== true) return;
  const other = targets.find((target) => !mayReplace(before.uid, target));
  if (other === undefined) return;
  throw new KubepkiError(
    'no-permission',
    `belongs to uid ${String(before.uid)}, who would decide which CA is used for ${other.path}`,
    { file: path, hint: `if it is the cluster's CA, make it yours: chown root ${shellWord(path)}` },
  );
}

function foreignLinks(root: FileSystemRoot, path: string): { path: string; link: string; uid: number }[] {
  return root
    .linksOnTheWay(path)
    .map((link) => ({ path, link, uid: look(link).uid }))
    .filter(({ uid }) => isForeign(uid));
}

/** Whether the file is this user's, or the directory that it is in or will be in. */
function mayReplace(uid: number, { resolvedPath, before }: FileTarget): boolean {
  if (before?.uid === uid) return true;
  for (let directory = dirname(resolvedPath); ; directory = dirname(directory)) {
    const stats = lookFor(directory);
    if (stats !== undefined) return stats.uid === uid;
  }
}

function look(path: string): Stats {
  return onFile(path, () => lstatSync(path));
}

/** @returns undefined where nothing is there yet */
function lookFor(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw filesystemError(cause, path);
  }
}
