import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/deadline.ts';
import { kubepkiCommand, type Outcome } from '../support/kubepki.ts';
import { stateDirectory } from '../support/node.ts';
import { temporaryDirectory, type Cleanup, type Tree } from '../support/tree.ts';

/** A moment of a run: right after its `nth` fsync of this very path, or after its `nth` rename; counted from 1. */
export type Moment =
  | { readonly call: 'fsync'; readonly path: string; readonly nth: number }
  | { readonly call: 'rename'; readonly nth: number };

export interface StoppedRun {
  /** Lets it run to its end. */
  resume(): Promise<Outcome>;
}

/**
 * Starts the real command on a tree and returns when it stands still (SIGSTOP) at that moment: time enough for another
 * program. Only the main thread is traced, which makes every call of a commit.
 */
export async function stopped(
  t: Cleanup,
  strace: string,
  tree: Tree,
  args: readonly string[],
  moment: Moment,
): Promise<StoppedRun> {
  const log = join(temporaryDirectory(t), 'strace');
  const { call, nth } = moment;
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGSTOP:when=${String(nth)}`];
  // With -P only the calls on that path are counted.
  const options = ['-o', log, ...inject, ...(moment.call === 'fsync' ? ['-P', moment.path] : [])];
  const command = [...kubepkiCommand, 'certs', ...args, '--rootfs', tree.directory];
  const child = spawn(strace, [...options, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
  const closed = once(child, 'close');
  let end = (): void => {
    child.kill('SIGTERM');
  };
  t.after(() => {
    if (child.exitCode === null && child.signalCode === null) end();
  });
  const isStopped = (): true | undefined =>
    existsSync(log) && readFileSync(log, 'latin1').includes('--- stopped by SIGSTOP ---') ? true : undefined;
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`it ended, and was never stopped\n${output.stderr}`);
      return isStopped();
    },
    { deadlineMs: 60_000, otherwise: () => `it was not stopped: ${options.join(' ')}` },
  );
  const pid = holderOf(tree);
  // With strace alone killed it would stand there for ever.
  end = () => {
    process.kill(pid, 'SIGKILL');
  };
  return {
    resume: async () => {
      process.kill(pid, 'SIGCONT');
      const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
      return { ...output, code: code ?? undefined, signal: signal ?? undefined };
    },
  };
}

/** The process that holds the lock: the lock file names it. */
function holderOf(tree: Tree): number {
  const holder = readFileSync(join(stateDirectory(tree), 'lock'), 'utf8');
  return (JSON.parse(holder) as { readonly pid: number }).pid;
}
