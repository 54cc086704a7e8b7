import { spawn, type ChildProcess } from 'node:child_process';
import { changedInUse, componentsToRestart, type ChangeReport } from '../operations/change-report.ts';
import { KubepkiError } from '../errors/error.ts';
import { holdInterruptions, interruptionDuringHold } from './signals.ts';
import type { Terminal } from './terminal.ts';

/** What a hook is told, as its environment has it. */
export type HookEnvironment = Readonly<
  Record<
    'KUBEPKI_COMMAND' | 'KUBEPKI_NAMES' | 'KUBEPKI_FILES' | 'KUBEPKI_COMPONENTS' | 'KUBEPKI_BACKUP',
    string
  >
>;

/** @returns undefined when nothing in use has changed, and so there is nothing to run a hook for */
export function hookEnvironment(report: ChangeReport): HookEnvironment | undefined {
  const changed = changedInUse(report);
  if (report.dryRun || changed.length === 0) return undefined;
  return {
    KUBEPKI_COMMAND: report.command,
    KUBEPKI_NAMES: changed.map(({ name }) => name).join(' '),
    // A path may hold spaces.
    KUBEPKI_FILES: changed.flatMap(({ files }) => files).join('\n'),
    KUBEPKI_COMPONENTS: componentsToRestart(report).join(' '),
    KUBEPKI_BACKUP: report.backup ?? '',
  };
}

/**
 * Runs what is to follow a change, when the change has been made, said, and the lock is free: a hook may call kubepki itself.
 * What it says goes to stderr. It gets the signals that come meanwhile, and is waited for.
 * @returns false when it failed, which has been said then
 */
export async function runDeployHook(
  command: string,
  environment: HookEnvironment,
  terminal: Terminal,
): Promise<boolean> {
  holdInterruptions();
  if ((await interruptionDuringHold()) !== undefined) {
    terminal.warning('the deploy hook was not run');
    return false;
  }
  const failure = await failureOf(command, environment);
  if (failure === undefined) return true;
  terminal.error(
    new KubepkiError('io', `the deploy hook ${failure}`, {
      hint: 'the change is done and stands; what the hook was to do is left to you',
    }),
  );
  return false;
}

/** How it failed; undefined: it did not. */
async function failureOf(command: string, environment: HookEnvironment): Promise<string | undefined> {
  let hook: ChildProcess;
  try {
    hook = spawn('/bin/sh', ['-c', command], {
      env: { ...process.env, ...environment },
      // stdout is for the result alone.
      stdio: ['ignore', 2, 2],
      // A process group of its own: a signal must reach what the shell has started, and each of them once.
      detached: true,
    });
  } catch (error) {
    return `could not be run: ${reasonOf(error)}`;
  }
  const forget = forwardSignals(hook);
  try {
    return await new Promise((resolve) => {
      hook.once('error', (error) => {
        resolve(`could not be run: ${reasonOf(error)}`);
      });
      hook.once('exit', (code, signal) => {
        if (code === 0) resolve(undefined);
        else
          resolve(
            code === null ? `was ended by ${String(signal)}` : `ended with exit status ${String(code)}`,
          );
      });
    });
  } finally {
    forget();
  }
}

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @returns stops it */
function forwardSignals(hook: ChildProcess): () => void {
  const forward = (signal: NodeJS.Signals): void => {
    if (hook.pid === undefined) return;
    try {
      process.kill(-hook.pid, signal);
    } catch {
      // It has just ended.
    }
  };
  for (const signal of forwarded) process.on(signal, forward);
  return () => {
    for (const signal of forwarded) process.off(signal, forward);
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
