import { join, relative, resolve, sep } from 'node:path';
import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { kubeconfigDirName } from './lock-file.ts';
import type { StateDirectory } from './state-directory.ts';

/**
 * A path in a record of ours says which directory it is in, and where there. So a change that was interrupted is brought
 * to an end through any mount and any spelling of these directories: from a container, from a rescue system, with another
 * `--rootfs`. In a copy of both directories it leads into the copy.
 */
export interface StoredPath {
  /** `root`: in neither of our directories; the path is the one below what stood for `/`. */
  readonly in: 'cert-dir' | 'kubeconfig-dir' | 'root';
  /** Relative; empty: the directory itself. */
  readonly path: string;
}

/** Where a record was written. */
export interface Origin {
  /** The cert dir as seen from the root: where the root is from here follows from it. */
  readonly certDir: string;
  /** The kubeconfig dir as seen from the root, for messages, and its name; null: it has none. */
  readonly kubeconfigDir: { readonly path: string; readonly name: string } | null;
}

export interface PathStore {
  readonly origin: Origin;
  readonly store: (hostPath: string) => StoredPath;
}

export interface PathLocator {
  /** The host path, of our directories without symlinks. @throws KubepkiError unfinished when it cannot be reached from here */
  readonly locate: (stored: StoredPath) => string;
  /** The host path as the operator would write it. @throws KubepkiError unfinished */
  readonly show: (stored: StoredPath) => string;
}

/** @param hostPaths all that will be in the record */
export function pathStore(state: StateDirectory, hostPaths: readonly string[]): PathStore {
  const name = kubeconfigDirName(state);
  const kubeconfigDir = state.root.resolve(state.kubeconfigDir);
  const places = [
    ...[state.certDir, state.shownCertDir].map((directory) => ({ in: 'cert-dir', directory }) as const),
    ...(name === undefined ? [] : [kubeconfigDir, state.kubeconfigDir]).map(
      (directory) => ({ in: 'kubeconfig-dir', directory }) as const,
    ),
    // The inner of two directories; of the same length the cert dir.
  ].sort((one, other) => other.directory.length - one.directory.length);
  const placeOf = (path: string): (typeof places)[number] | undefined =>
    places.find(({ directory }) => contains(directory, path));
  // A path may lie outside of the root: a relative one that was typed beside `--rootfs`.
  const elsewhere = hostPaths.filter((path) => placeOf(path) === undefined);
  const inside = [state.certDir, ...elsewhere].every((path) => contains(state.root.directory, path));
  const root = inside ? state.root.directory : '/';
  return {
    origin: {
      certDir: join('/', relative(root, state.certDir)),
      kubeconfigDir: name === undefined ? null : { path: join('/', relative(root, kubeconfigDir)), name },
    },
    store: (path) => {
      const place = placeOf(path);
      return place === undefined
        ? { in: 'root', path: relative(root, path) }
        : { in: place.in, path: relative(place.directory, path) };
    },
  };
}

/**
 * @param origin of the record in which the paths are
 * @param command what to run where they can be reached
 */
export function pathLocator(state: StateDirectory, origin: Origin, command = 'recover'): PathLocator {
  const root = rootOf(state, origin);
  let name: string | undefined;
  const locatorIn =
    (certDir: string, kubeconfigDir: () => string): PathLocator['locate'] =>
    (stored) => {
      switch (stored.in) {
        case 'cert-dir':
          return below(certDir, stored.path);
        case 'kubeconfig-dir':
          name ??= kubeconfigDirName(state);
          if (name === undefined || name !== origin.kubeconfigDir?.name) {
            throw otherKubeconfigDir(state, { origin, root, command }, stored.path);
          }
          return below(kubeconfigDir(), stored.path);
        case 'root':
          if (root === undefined) throw otherRoot(state, { origin, root, command }, stored.path);
          return below(root, stored.path);
      }
    };
  return {
    locate: locatorIn(state.certDir, () => state.root.resolve(state.kubeconfigDir)),
    show: locatorIn(state.shownCertDir, () => state.kubeconfigDir),
  };
}

/** What stood for `/` where the record was written, as a host path; undefined: the cert dir was reached another way. */
function rootOf({ certDir }: StateDirectory, origin: Origin): string | undefined {
  return certDir.endsWith(origin.certDir) ? certDir.slice(0, -origin.certDir.length) || '/' : undefined;
}

interface Reading {
  readonly origin: Origin;
  /** undefined: from here it is not known. */
  readonly root: string | undefined;
  readonly command: string;
}

function otherKubeconfigDir(
  state: StateDirectory,
  { origin: { kubeconfigDir }, root, command }: Reading,
  path: string,
): KubepkiError {
  const { path: origin = '/' } = kubeconfigDir ?? {};
  const directory = root === undefined ? undefined : state.root.display(below(root, origin));
  const flags = withoutKubeconfigDir(state.flags);
  const hint =
    directory === undefined
      ? `run this where ${origin} is what it was for that run, or name the directory: --kubeconfig-dir DIR`
      : `name the directory: ${commandLine([...flags, '--kubeconfig-dir', shellWord(directory)])(command)}`;
  return new KubepkiError(
    'unfinished',
    `cannot be reached: the kubeconfig dir is ${state.kubeconfigDir} here, and is not the one of the run that wrote down this path`,
    { file: join(directory ?? origin, path), hint },
  );
}

function withoutKubeconfigDir(flags: readonly string[]): readonly string[] {
  const index = flags.indexOf('--kubeconfig-dir');
  return index === -1 ? flags : [...flags.slice(0, index), ...flags.slice(index + 2)];
}

function otherRoot(
  state: StateDirectory,
  { origin: { certDir }, command }: Reading,
  path: string,
): KubepkiError {
  return new KubepkiError(
    'unfinished',
    `cannot be reached: for the run that wrote down this path the cert dir was ${certDir}, and here it is ${state.shownCertDir}`,
    {
      file: join('/', path),
      hint: `run this where that run was: ${commandLine(['--cert-dir', shellWord(certDir)])(command)}`,
    },
  );
}

/** The inner call of resolve keeps `..` below the directory. */
function below(directory: string, path: string): string {
  return resolve(directory, `.${resolve('/', path)}`);
}

function contains(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : directory + sep);
}
