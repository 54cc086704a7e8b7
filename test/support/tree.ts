import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));

/** What node:test's context offers for cleaning up. */
export interface Cleanup {
  after(cleanUp: () => void): void;
}

/** A copy of a fixture: the root directory of a control-plane node. */
export interface Tree {
  /** Stands for `/`. */
  readonly directory: string;
  /** `etc/kubernetes`, where the kubeconfigs are. */
  readonly kubeconfigDir: string;
  /** `etc/kubernetes/pki` */
  readonly certDir: string;
}

/** A fresh temporary directory that is gone after the test. */
export function temporaryDirectory(t: Cleanup): string {
  const directory = mkdtempSync(join(tmpdir(), 'kubepki-test-'));
  t.after(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** Copies `fixtures/<role>` into a temporary directory with the modes kubeadm gives; gone after the test. */
export function copyFixture(t: Cleanup, role: string): Tree {
  return copyFixtureTo(role, temporaryDirectory(t));
}

/** The same, into a directory of the caller's. */
export function copyFixtureTo(role: string, directory: string): Tree {
  // Links as they are: a fixture's relative link must not point back into the repository.
  cpSync(join(fixtures, role), directory, { recursive: true, verbatimSymlinks: true });
  setKubeadmModes(directory);
  const kubeconfigDir = join(directory, 'etc', 'kubernetes');
  return { directory, kubeconfigDir, certDir: join(kubeconfigDir, 'pki') };
}

/** Git keeps no 0600: keys and kubeconfigs 0600, every other file 0644, directories 0755. */
function setKubeadmModes(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    else if (entry.isFile()) chmodSync(path, /\.(?:key|conf)$/.test(entry.name) ? 0o600 : 0o644);
  }
}

export interface SnapshotEntry {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits as one reads them, `0600`. */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  readonly inode: number;
  /** Bytes; of a file only. */
  readonly size?: number;
  /** Hex; of a file only. */
  readonly sha256?: string;
  /** Of a link only. */
  readonly target?: string;
}

/** What a directory holds: every path below it, relative to it, bytewise sorted; but for what a lock leaves ({@link isOfLock}). */
export type Snapshot = ReadonlyMap<string, SnapshotEntry>;

export function snapshot(directory: string): Snapshot {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
  const entries = paths.map((path) => [path, snapshotEntry(join(directory, path))] as const);
  return new Map(entries.filter(([path, { type }]) => !isOfLock(path, type, paths)));
}

/** The files that are locked are there to stay, and so is the directory of one: a run that changes nothing leaves them. */
function isOfLock(path: string, type: SnapshotEntry['type'], all: readonly string[]): boolean {
  if (type === 'file') return /(?:^|\/)\.kubepki(?:\/|\.)lock$/.test(path);
  const inside = all.filter((one) => one.startsWith(`${path}/`));
  return (
    type === 'directory' && basename(path) === '.kubepki' && inside.every((one) => one === `${path}/lock`)
  );
}

function snapshotEntry(path: string): SnapshotEntry {
  const stats = lstatSync(path);
  const common = {
    mode: (stats.mode & 0o7777).toString(8).padStart(4, '0'),
    uid: stats.uid,
    gid: stats.gid,
    inode: stats.ino,
  };
  const type = typeOf(stats);
  if (type === 'link') return { type, ...common, target: readlinkSync(path) };
  if (type !== 'file') return { type, ...common };
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  return { type, ...common, size: stats.size, sha256 };
}

function typeOf(stats: Stats): SnapshotEntry['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

/**
 * What changed between two snapshots of a directory, one line each, sorted by path:
 * `+ path 0600`, `- path`, `~ path content mode 0644 -> 0600`. Empty: nothing did.
 *
 * A new inode with the same content is no change: say `{ inodes: true }` to see that a file was not even rewritten.
 */
export function changes(before: Snapshot, after: Snapshot, { inodes = false } = {}): readonly string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort();
  return paths.flatMap((path) => {
    const old = before.get(path);
    const now = after.get(path);
    if (now === undefined) return [`- ${path}`];
    if (old === undefined) return [`+ ${path} ${now.mode}`];
    const differences = [
      ...(old.type === now.type ? [] : [`${old.type} -> ${now.type}`]),
      ...(old.sha256 === now.sha256 ? [] : ['content']),
      ...(old.target === now.target ? [] : [`link ${old.target ?? '-'} -> ${now.target ?? '-'}`]),
      ...(old.mode === now.mode ? [] : [`mode ${old.mode} -> ${now.mode}`]),
      ...(old.uid === now.uid && old.gid === now.gid ? [] : [`owner ${ownerOf(old)} -> ${ownerOf(now)}`]),
      ...(inodes && old.inode !== now.inode ? ['inode'] : []),
    ];
    return differences.length === 0 ? [] : [`~ ${path} ${differences.join(' ')}`];
  });
}

/** The same without kubepki's own state, which every change leaves its backup in. */
export function fileChanges(
  before: Snapshot,
  after: Snapshot,
  options?: { inodes: boolean },
): readonly string[] {
  return changes(before, after, options).filter((line) => !/ (?:\S*\/)?\.kubepki(?:\/| )/.test(line));
}

function ownerOf(entry: SnapshotEntry): string {
  return `${String(entry.uid)}:${String(entry.gid)}`;
}

/** A fixture's own file, to be read only. */
export function fixturePath(role: string, path: string): string {
  return join(fixtures, role, path);
}
