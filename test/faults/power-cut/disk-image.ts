import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';

export interface Ownership {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type ImageEntry = Ownership &
  ({ readonly type: 'directory' } | { readonly type: 'file'; readonly data: Buffer });

/** What is on a disk: every path below its root, directories before what is in them. */
export type DiskImage = ReadonlyMap<string, ImageEntry>;

export function readImage(directory: string): DiskImage {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .sort();
  return new Map(paths.map((path) => [path, readEntry(join(directory, path))]));
}

function readEntry(path: string): ImageEntry {
  const stats = lstatSync(path);
  const ownership = { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
  if (stats.isDirectory()) return { type: 'directory', ...ownership };
  if (stats.isFile()) return { type: 'file', ...ownership, data: readFileSync(path) };
  throw new Error(`${path}: neither file nor directory`);
}

/** Makes a directory what the disk's root holds. */
export function writeImage(image: DiskImage, directory: string): void {
  mkdirSync(directory);
  for (const [path, entry] of image) {
    const place = join(directory, path);
    if (entry.type === 'directory') mkdirSync(place);
    else writeFileSync(place, entry.data);
    chownSync(place, entry.uid, entry.gid);
    chmodSync(place, entry.mode);
  }
}

/** Equal for equal disks. */
export function imageDigest(image: DiskImage): string {
  const lines = [...image].map(([path, entry]) => {
    const { type, mode, uid, gid } = entry;
    return [path, type, mode, uid, gid, type === 'file' ? contentDigest(entry.data) : ''].join('\0');
  });
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

// The same few files are in thousands of images.
const known = new WeakMap<Buffer, string>();

function contentDigest(data: Buffer): string {
  const digest = known.get(data) ?? createHash('sha256').update(data).digest('hex');
  known.set(data, digest);
  return digest;
}
