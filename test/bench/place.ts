/** Where what is measured lies: in memory, so that a disk's moods are not measured with it. */
import { cpSync, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
// TMPFS_MAGIC of statfs(2).
const tmpfs = 0x01021994;

export interface Place {
  readonly directory: string;
  readonly isTmpfs: boolean;
}

/** A new directory, which is gone when this process ends; on a tmpfs where there is one. */
export function inMemory(): Place {
  return isTmpfs('/dev/shm') ? temporary('/dev/shm') : temporary(tmpdir());
}

/** One on a disk; undefined where temporary files are in memory. */
export function onDisk(): Place | undefined {
  return isTmpfs(tmpdir()) ? undefined : temporary(tmpdir());
}

export function temporary(parent: string): Place {
  const directory = mkdtempSync(join(parent, 'kubepki-bench-'));
  process.on('exit', () => {
    rmSync(directory, { recursive: true, force: true });
  });
  return { directory, isTmpfs: isTmpfs(parent) };
}

/** @returns a copy of a sample node's root */
export function copyOf(role: string, place: Place, name = role): string {
  const copy = join(place.directory, name);
  cpSync(join(fixtures, role, 'etc'), join(copy, 'etc'), { recursive: true });
  return copy;
}

export function freeMiB({ directory }: Place): number {
  const { bavail, bsize } = statfsSync(directory);
  return (bavail * bsize) / 2 ** 20;
}

function isTmpfs(directory: string): boolean {
  try {
    return statfsSync(directory).type === tmpfs;
  } catch {
    return false;
  }
}
