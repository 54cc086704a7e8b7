import { exitCodes, type ExitCode } from './exit-code.ts';

let changed = false;

/** From here on nobody must be told that nothing was changed. */
export function noteChanged(): void {
  changed = true;
}

export function wasChanged(): boolean {
  return changed;
}

/**
 * A commit runs on synchronous calls, during which no signal handler runs: when one does, either nothing was staged yet
 * or everything is done. So there is nothing to clean up, and it is enough to leave.
 */
export function handleSignals(): void {
  process.once('SIGINT', () => {
    leave(exitCodes.interrupted);
  });
  process.once('SIGTERM', () => {
    leave(exitCodes.terminated);
  });
}

function leave(code: ExitCode): void {
  // The terminal has just echoed ^C.
  const lineEnd = process.stderr.isTTY ? '\n' : '';
  process.stderr.write(
    `${lineEnd}interrupted: ${changed ? 'what was said to be done is done' : 'nothing was changed'}\n`,
  );
  process.exit(code);
}
