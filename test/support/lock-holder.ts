import { spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { judge } from './judge.ts';

export interface LockHolder {
  kill(): void;
}

/**
 * Holds the kernel's lock on a directory until it is killed.
 * @returns undefined without flock: the test is skipped then
 */
export async function holdLock(t: TestContext, directory: string): Promise<LockHolder | undefined> {
  const flock = judge(t, 'flock');
  if (flock === undefined) return undefined;
  const child = spawn(flock, ['-x', directory, 'sh', '-c', 'echo held; exec sleep 600'], {
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
