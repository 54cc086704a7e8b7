import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory, type Cleanup } from '../support/tree.ts';
import type { Order, Report } from './campaign.ts';
import { replayable, type FuzzInput } from './input.ts';

export type Done = Extract<Report, { event: 'done' }>;

/**
 * Runs the campaigns of a module in a process of its own, and kills it when it says nothing for too long: a loop without
 * an end cannot be left from inside, and not every crash can be caught there.
 * @returns a report for each campaign
 * @throws AssertionError naming every input that failed, and the one that the process died of or never came to an end of
 */
export async function runWatched(
  t: Cleanup,
  module: URL,
  order: Order,
  { silenceMs }: { readonly silenceMs: number },
): Promise<Done[]> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      import.meta.resolve('tsx'),
      fileURLToPath(new URL('child.ts', import.meta.url)),
      module.href,
      JSON.stringify(order),
    ],
    { cwd: temporaryDirectory(t), stdio: ['ignore', 'pipe', 'pipe', 'pipe'] },
  );
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  }

  const failures: string[] = [];
  const done: Done[] = [];
  let current: FuzzInput | undefined;
  let watch: NodeJS.Timeout | undefined;
  createInterface({ input: child.stdio[3] as Readable }).on('line', (line) => {
    // From the first input on: how long a process takes to start says nothing of any.
    watch ??= setTimeout(() => child.kill('SIGKILL'), silenceMs);
    watch.refresh();
    const report = JSON.parse(line) as Report;
    current = report.event === 'begin' ? report.input : undefined;
    if (report.event === 'failed') failures.push(`${report.reason}\n${replayable(report.input)}`);
    if (report.event === 'done') done.push(report);
  });
  const end = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve(signal ?? `exit ${String(code)}`);
    });
  });
  clearTimeout(watch);
  if (current !== undefined) {
    failures.push(
      `no end within ${String(silenceMs)} ms, or the end of the process (${end})\n${replayable(current)}`,
    );
  }
  if (failures.length > 0) assert.fail([...failures, said].join('\n\n'));
  assert.deepEqual([end, said], ['exit 0', '']);
  return done;
}
