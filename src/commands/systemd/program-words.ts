import { realpathSync } from 'node:fs';
import { basename, delimiter, isAbsolute, join, resolve } from 'node:path';

/**
 * The words that start this program again from anywhere: node and the script, as the script's first line (env node) needs a
 * PATH that a service may not have. A program that is one file starts itself. What was called is kept as it was called, a
 * symlink on the PATH too: where it leads to changes with every version.
 */
export function programWords({
  execPath,
  argv,
  env,
}: Pick<NodeJS.Process, 'execPath' | 'argv' | 'env'>): string[] {
  const program = nameOnPath(execPath, env['PATH'] ?? '');
  const script = argv[1];
  if (script === undefined) return [program];
  const realScript = realPath(resolve(script));
  return realScript === undefined || realScript === realPath(execPath)
    ? [program]
    : [program, resolve(script)];
}

/** `/usr/bin/node` rather than `/usr/lib/nodejs/20.1/bin/node`, where the one is a link to the other. */
function nameOnPath(execPath: string, path: string): string {
  const real = realPath(execPath);
  const found = path
    .split(delimiter)
    .filter(isAbsolute)
    .map((directory) => join(directory, basename(execPath)))
    .find((candidate) => real !== undefined && realPath(candidate) === real);
  return found ?? execPath;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // No such file, as of a script inside a program that is one file.
    return undefined;
  }
}
