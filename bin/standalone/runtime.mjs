/** The Bun that runs an executable: that of the npm registry, and only if it is byte for byte the one that was pinned. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param cache a directory; what it has is not fetched again
 * @returns path of the runtime
 */
export function fetchRuntime({ package: name, integrity }, version, cache) {
  const digest = integrity.slice('sha512-'.length);
  // Named by what is in it: another version is another directory.
  const directory = join(cache, createHash('sha256').update(digest).digest('hex'));
  const runtime = join(directory, 'package', 'bin', 'bun');
  if (existsSync(runtime)) return runtime;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'fetch-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', scratch, `${name}@${version}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [tarball] = readdirSync(scratch);
    const path = join(scratch, tarball);
    const found = createHash('sha512').update(readFileSync(path)).digest('base64');
    if (found !== digest) throw new Error(`${name}@${version} is not what was pinned: sha512-${found}`);
    execFileSync('tar', ['-xzf', path, '-C', scratch, 'package/bin/bun']);
    rmSync(path);
    try {
      renameSync(scratch, directory);
    } catch (error) {
      // Another build was quicker: what it has fetched is the same.
      if (!existsSync(runtime)) throw error;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return runtime;
}
