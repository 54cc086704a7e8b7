import type { Typed } from '../flags/table.ts';
import { defaultValidityMs } from '../operations/issuing/validity.ts';
import type { Terminal } from '../terminal/terminal.ts';

const dayMs = 24 * 3_600_000;

/** `12m` is twelve minutes, and may have been meant as months. */
export function warnOfShortValidity({ validity }: Typed<'validity'>, terminal: Terminal): void {
  if (validity === undefined || validity.milliseconds >= dayMs) return;
  terminal.warning(`--validity ${validity.text} is less than a day`);
}

/** A certificate that is due on its first day would be renewed by every run of a timer. */
export function warnOfDueAgain(
  { validity, within }: Typed<'validity' | 'within'>,
  configuredMs: number | undefined,
  terminal: Terminal,
): void {
  const validityMs = validity?.milliseconds ?? configuredMs ?? defaultValidityMs;
  if (within === undefined || validityMs > within.milliseconds) return;
  terminal.warning(
    `--within ${within.text} is as long as new certificates are valid, or longer: every run renews them again`,
  );
}
