import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf, filesystemError } from './filesystem-error.ts';

// The kernel's own limit (MAXSYMLINKS).
const maxSymlinks = 40;

/**
 * The directory that stands for `/`: `--rootfs DIR`, else `/` itself. Absolute paths, also those inside files and in
 * symlinks, are looked up below it. kubeadm calls chroot(2) for `--rootfs`, which needs root; resolving the paths
 * ourselves does not, and leaves the rest of the machine (the temporary directory, the timezone data) where it is.
 */
export class FileSystemRoot {
  /** Host path without symlinks, `/` when there is no `--rootfs`. */
  readonly directory: string;
  readonly #workingDirectory: string;
  /** The paths that have been resolved, and where they lead; undefined: none is kept. */
  readonly #resolved: Map<string, string> | undefined;

  private constructor(directory: string, workingDirectory: string, resolved?: Map<string, string>) {
    this.directory = directory;
    this.#workingDirectory = workingDirectory;
    this.#resolved = resolved;
  }

  /** @throws KubepkiError not-found, not-a-file, no-permission when `rootfs` is not a directory one can enter */
  static open(rootfs: string | undefined, workingDirectory: string): FileSystemRoot {
    if (rootfs === undefined) return new FileSystemRoot('/', workingDirectory);
    const given = resolve(workingDirectory, rootfs);
    try {
      const directory = realpathSync(given);
      if (!statSync(directory).isDirectory()) {
        throw new KubepkiError('not-a-file', 'is not a directory', { file: rootfs });
      }
      return new FileSystemRoot(directory, workingDirectory);
    } catch (cause) {
      throw filesystemError(cause, rootfs);
    }
  }

  /** The host path of a path from the command line or from inside a file. Only absolute paths move below the root. */
  locate(path: string, base: string = this.#workingDirectory): string {
    if (!isAbsolute(path) && !this.#contains(base)) return resolve(base, path);
    // The inner resolve keeps `/../..` at the root, also in a relative path that a file below the root names.
    return join(this.directory, resolve('/', relative(this.directory, base), path));
  }

  /** The path as it is written inside the root: the inverse of locate, for hints. */
  display(hostPath: string): string {
    return this.#contains(hostPath) ? join('/', relative(this.directory, hostPath)) : hostPath;
  }

  /**
   * The host path without symlinks. Absolute link targets and `..` stay below the root. What does not exist (yet) is
   * kept as it is, so the target of a file to be created can be resolved too.
   * @throws KubepkiError not-a-file, no-permission, io
   */
  resolve(hostPath: string): string {
    const known = this.#resolved?.get(hostPath);
    if (known !== undefined) return known;
    const base =
      this.#resolved !== undefined && isPlain(hostPath) ? this.#parent(dirname(hostPath)) : undefined;
    const path =
      base === undefined
        ? this.#walk(hostPath).path
        : this.#follow([basename(hostPath)], base, hostPath).path;
    this.#resolved?.set(hostPath, path);
    return path;
  }

  /** The root for files that are read at one moment: it resolves each path but once. */
  atOneMoment(): FileSystemRoot {
    if (this.#resolved !== undefined) return this;
    return new FileSystemRoot(this.directory, this.#workingDirectory, new Map());
  }

  /** @returns undefined where it cannot be resolved: the error is to name the file */
  #parent(path: string): string | undefined {
    const known = this.#resolved?.get(path);
    if (known !== undefined) return known;
    try {
      const found = this.#walk(path).path;
      this.#resolved?.set(path, found);
      return found;
    } catch (error) {
      if (error instanceof KubepkiError) return undefined;
      throw error;
    }
  }

  /**
   * The symlinks that resolve follows, in that order, as host paths.
   * @throws KubepkiError not-a-file, no-permission, io
   */
  linksOnTheWay(hostPath: string): readonly string[] {
    return this.#walk(hostPath).links.map(({ path }) => path);
  }

  /**
   * The host path without symlinks, with those that led there as they were when they were followed.
   * @throws KubepkiError not-a-file, no-permission, io
   */
  follow(hostPath: string): Walk {
    return this.#walk(hostPath);
  }

  #walk(hostPath: string): Walk {
    const base = this.#base(hostPath);
    return this.#follow(below(base, hostPath).split(sep), base, hostPath);
  }

  /** @param from without symlinks */
  #follow(pending: string[], from: string, hostPath: string): Walk {
    const base = this.#base(hostPath);
    let current = from;
    const links: FollowedLink[] = [];
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        if (current !== base) current = dirname(current);
        continue;
      }
      // Not join(), which goes over the whole path again.
      const next = current === '/' ? `/${part}` : `${current}/${part}`;
      const link = readLink(next, hostPath);
      if (link === undefined) {
        current = next;
        continue;
      }
      const { target, uid } = link;
      links.push({ path: next, uid });
      if (links.length > maxSymlinks) {
        throw new KubepkiError('not-a-file', 'too many levels of symbolic links', { file: hostPath });
      }
      if (isAbsolute(target)) current = base;
      pending.unshift(...target.split(sep));
    }
    return { path: current, links };
  }

  #base(hostPath: string): string {
    return this.#contains(hostPath) ? this.directory : '/';
  }

  #contains(hostPath: string): boolean {
    return this.directory === '/' || hostPath === this.directory || hostPath.startsWith(this.directory + sep);
  }
}

interface FollowedLink {
  readonly path: string;
  readonly uid: number;
}

interface Walk {
  readonly path: string;
  readonly links: readonly FollowedLink[];
}

/** Whether the path is absolute and has no `.`, `..` or empty part. */
function isPlain(path: string): boolean {
  return isAbsolute(path) && !/\/(?:\.{0,2}\/|\.{0,2}$)/.test(path);
}

// relative() goes over both paths letter by letter, and every file of a node comes this way.
function below(base: string, path: string): string {
  return isPlain(path) && path.startsWith(base) ? path.slice(base.length) : relative(base, path);
}

function readLink(
  path: string,
  shownPath: string,
): { readonly target: string; readonly uid: number } | undefined {
  try {
    // Most of the places where a file may be are empty, and an exception costs more than the look.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats?.isSymbolicLink() === true
      ? { target: utf8(readlinkSync(path, 'buffer'), path), uid: stats.uid }
      : undefined;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined;
    throw filesystemError(cause, shownPath);
  }
}

/** node would put U+FFFD in the place of every other byte, and so lead to another file. */
function utf8(target: Buffer, link: string): string {
  const text = target.toString('utf8');
  if (Buffer.from(text).equals(target)) return text;
  throw new KubepkiError('io', `the symbolic link ${link} leads to a name that is not UTF-8`, {
    hint: 'give what it leads to a name in UTF-8',
  });
}
