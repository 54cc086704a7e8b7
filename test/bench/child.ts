import { spawnSync } from 'node:child_process';
import type { Words } from './timers/timing.ts';

/**
 * With a clean environment: NODE_OPTIONS and the like have a say in how a runtime starts.
 * @returns what it has printed
 * @throws Error unless it exits with 0
 */
export function run([program, ...args]: Words): string {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = process.env;
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { PATH, HOME, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exits with ${String(status)}\n${stderr}`);
  return stdout;
}

/** Whether a program is installed. */
export function isThere(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}
