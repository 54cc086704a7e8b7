import { setTimeout as pause } from 'node:timers/promises';

/**
 * Polls until `condition` gives something other than undefined.
 * @throws Error with `otherwise()` as its message once `deadlineMs` have passed
 */
export async function until<T>(
  condition: () => Promise<T | undefined> | T | undefined,
  { deadlineMs, otherwise }: { readonly deadlineMs: number; readonly otherwise: () => string },
): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const result = await condition();
    if (result !== undefined) return result;
    if (performance.now() > deadline) throw new Error(otherwise());
    await pause(50);
  }
}
