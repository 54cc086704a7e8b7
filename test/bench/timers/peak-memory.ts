/** The most that a process ever had in memory, as GNU time sees it. */
import { readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { run } from '../child.ts';
import type { Words } from './timing.ts';

const program = '/usr/bin/time';

/** bash's own has no such figure, and neither has that of BSD by this name. */
export function canMeasureMemory(): boolean {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return `${stdout}${stderr}`.includes('GNU');
}

/**
 * The highest of three runs: when garbage is collected is chance.
 * @param scratch a directory
 */
export function peakMiB(words: Words, scratch: string): number {
  const file = join(scratch, 'peak-memory');
  const peaks = [1, 2, 3].map(() => {
    run([program, '-f', '%M', '-o', file, ...words]);
    return Number(readFileSync(file, 'utf8')) / 1024;
  });
  return Math.max(...peaks);
}
