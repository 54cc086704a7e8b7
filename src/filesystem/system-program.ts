import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The directories that belong to the system: a PATH may name others, in which any user puts programs. The
 * last one is NixOS'.
 */
const directories = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/run/current-system/sw/bin'];

/** The path of a program that comes with the system; undefined: it is not installed. */
export function systemProgram(name: string): string | undefined {
  return directories.map((directory) => join(directory, name)).find((path) => existsSync(path));
}
