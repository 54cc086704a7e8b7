import { exitCodes } from './exit-code.ts';

/**
 * A commit runs on synchronous calls, during which no signal handler runs: when one does, either nothing was staged yet
 * or everything is done. So there is nothing to clean up, and it is enough to leave.
 */
export function handleSignals(): void {
  process.once('SIGINT', () => process.exit(exitCodes.interrupted));
  process.once('SIGTERM', () => process.exit(exitCodes.terminated));
}
