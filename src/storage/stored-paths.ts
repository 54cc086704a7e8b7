import { join, relative, resolve, sep } from 'node:path';
import type { StateDirectory } from './state-directory.ts';

/**
 * Paths in a journal or a manifest are written as somebody inside the root sees them. So a change that was interrupted
 * on the node itself can be brought to an end from a rescue system (`--rootfs /mnt`), and in a copy of the whole tree
 * they lead into the copy, never back into the original.
 */
export interface StoredPaths {
  /** The stored form of a host path. */
  readonly store: (hostPath: string) => string;
  /** The host path of a stored one. */
  readonly locate: (storedPath: string) => string;
}

/** For writing: below the root, unless one of the paths lies outside it (a relative path beside `--rootfs`). */
export function storedPathsFor(state: StateDirectory, hostPaths: readonly string[]): StoredPaths {
  const root = state.root.directory;
  const inside = [state.path, ...hostPaths].every((path) => contains(root, path));
  return storedPathsBelow(inside ? root : '/');
}

/**
 * For reading: what stands in a file that says which state directory it was written in.
 * @returns undefined when that is not this one: the file was copied or moved alone, and its paths lead elsewhere
 */
export function storedPathsOf(state: StateDirectory, storedStateDirectory: string): StoredPaths | undefined {
  return [state.root.directory, '/']
    .map(storedPathsBelow)
    .find((paths) => paths.locate(storedStateDirectory) === state.path);
}

function storedPathsBelow(root: string): StoredPaths {
  return {
    store: (hostPath) => join('/', relative(root, hostPath)),
    // The inner resolve keeps `/../..` below the root.
    locate: (storedPath) => join(root, resolve('/', storedPath)),
  };
}

function contains(root: string, path: string): boolean {
  return root === '/' || path.startsWith(root + sep);
}
