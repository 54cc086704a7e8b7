import { readFileSync } from 'node:fs';

/** Where it cannot be told. */
export const unknownBoot = 'unknown';

/** The kernel's name for the time since this machine was started. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // No /proc: then a reboot is not noticed, and something is restarted once more.
    return unknownBoot;
  }
}
