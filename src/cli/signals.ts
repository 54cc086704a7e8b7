import { setImmediate as turn } from 'node:timers/promises';
import { exitCodes, type ExitCode } from './exit-code.ts';

let changed = false;
let held = false;
let pending: ExitCode | undefined;
let cleanUp: (() => void) | undefined;

/**
 * SIGINT and SIGTERM end the process at once, except during a transaction: there they are noticed at its two decisions,
 * before the point of no return and at the end.
 */
export function handleSignals(): void {
  process.on('SIGINT', () => {
    interrupt(exitCodes.interrupted);
  });
  // SIGHUP: the operator's connection dropped.
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupt(exitCodes.terminated);
    });
  }
}

/** What to do before leaving at once: the lock's file goes. */
export function onInterrupt(action: (() => void) | undefined): void {
  cleanUp = action;
}

/** From here on an interruption waits for {@link interruptionDuringHold} or the end of the program. */
export function holdInterruptions(): void {
  held = true;
}

/** The exit code of a signal that has come meanwhile. A signal is seen by the event loop, so that is given a turn. */
export async function interruptionDuringHold(): Promise<ExitCode | undefined> {
  await turn();
  return pending;
}

/** From here on nobody must be told that nothing was changed. */
export function noteChanged(): void {
  changed = true;
}

export function wasChanged(): boolean {
  return changed;
}

function interrupt(code: ExitCode): void {
  pending = code;
  if (held) return;
  try {
    cleanUp?.();
  } finally {
    sayInterrupted();
    process.exit(code);
  }
}

export function sayInterrupted(): void {
  // The terminal has just echoed ^C.
  const lineEnd = process.stderr.isTTY ? '\n' : '';
  const what = changed ? 'the change is done and complete' : 'nothing was changed';
  process.stderr.write(`${lineEnd}interrupted: ${what}\n`);
}
