/** Timing by hyperfine. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../child.ts';
import { quoted, type Timer, type Timing } from './timing.ts';

export const byHyperfine: Timer = (commands, runs) => {
  const scratch = mkdtempSync(join(tmpdir(), 'kubepki-bench-'));
  try {
    const file = join(scratch, 'times.json');
    // Without a shell in between, whose own start it would have to estimate.
    const options = ['--shell=none', '--style=none', '--runs', String(runs), '--export-json', file];
    run(['hyperfine', ...options, ...commands.map(quoted)]);
    return readTimes(readFileSync(file, 'utf8'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

interface Times {
  readonly results: readonly { readonly median: number; readonly user: number; readonly system: number }[];
}

/** @param json what --export-json writes, in seconds */
export function readTimes(json: string): readonly Timing[] {
  const { results } = JSON.parse(json) as Times;
  return results.map(({ median, user, system }) => ({
    wallMs: median * 1000,
    cpuMs: (user + system) * 1000,
  }));
}
