import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { judge } from '../judge.ts';
import { stateDirectory } from '../node.ts';
import type { Tree } from '../tree.ts';

export interface LockHolder {
  kill(): void;
}

/** What is locked in the cert dir, made where it is not there. */
export function lockFile(tree: Tree): string {
  const path = join(stateDirectory(tree), 'lock');
  mkdirSync(stateDirectory(tree), { recursive: true, mode: 0o700 });
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  return path;
}

/** The same in the kubeconfig dir. */
export function kubeconfigLockFile({ kubeconfigDir }: Tree): string {
  const path = join(kubeconfigDir, '.kubepki.lock');
  writeFileSync(path, '', { mode: 0o600, flag: 'a' });
  return path;
}

/**
 * Holds the kernel's lock on a file until it is killed.
 * @returns undefined without flock: the test is skipped then
 */
export async function holdLock(t: TestContext, path: string): Promise<LockHolder | undefined> {
  const flock = judge(t, 'flock');
  if (flock === undefined) return undefined;
  const child = spawn(flock, ['-x', path, 'sh', '-c', 'echo held; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  const kill = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL');
  };
  t.after(kill);
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return { kill };
}
