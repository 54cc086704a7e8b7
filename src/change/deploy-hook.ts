import { spawn, type ChildProcess } from 'node:child_process';
import type { HookFacts } from '../operations/change/change-report.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** What a hook is told, as its environment has it. */
type HookEnvironment = Readonly<
  Record<
    'KUBEPKI_COMMAND' | 'KUBEPKI_NAMES' | 'KUBEPKI_FILES' | 'KUBEPKI_COMPONENTS' | 'KUBEPKI_BACKUP',
    string
  >
>;

function environmentOf({ command, names, files, components, backup }: HookFacts): HookEnvironment {
  return {
    KUBEPKI_COMMAND: command,
    KUBEPKI_NAMES: names.join(' '),
    // A path may hold spaces.
    KUBEPKI_FILES: files.join('\n'),
    KUBEPKI_COMPONENTS: components.join(' '),
    KUBEPKI_BACKUP: backup ?? '',
  };
}

/** `failed`, `not-run`: which has been said. */
type HookEnd = 'done' | 'failed' | 'not-run';

/**
 * Runs what is to follow a change, when the change has been made, said, and the lock is free: a hook may call kubepki itself.
 * What it says goes to stderr. It gets the signals that come meanwhile, and is waited for.
 */
export async function runDeployHook(command: string, facts: HookFacts, terminal: Terminal): Promise<HookEnd> {
  terminal.interruptions.hold();
  if ((await terminal.interruptions.duringHold()) !== undefined) {
    terminal.warning('the deploy hook was not run; the next run with --deploy-hook makes up for it');
    return 'not-run';
  }
  const failure = await failureOf(command, environmentOf(facts));
  if (failure === undefined) return 'done';
  terminal.error(
    new KubepkiError('io', `the deploy hook ${failure}`, {
      hint: 'the change is done and stands; the next run with --deploy-hook runs it again',
    }),
  );
  return 'failed';
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
