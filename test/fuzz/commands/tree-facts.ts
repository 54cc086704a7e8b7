import { lstatSync, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What shows that nothing was written below a directory, without reading it: a line for each path. Also of the
 * directories, whose times show what came and went.
 */
export function treeFacts(directory: string): string[] {
  return ['.', ...readdirSync(directory, { recursive: true, encoding: 'utf8' })].sort().map((path) => {
    const { ino, size, mtimeNs, mode, uid, gid, nlink } = lstatSync(join(directory, path), { bigint: true });
    return [path, ino, size, mtimeNs, mode.toString(8), uid, gid, nlink].map(String).join(' ');
  });
}

/** The clock of a file system ticks slowly; a write within one tick of the last would not show. */
export function makeOld(path: string): void {
  utimesSync(path, 0, 0);
}
