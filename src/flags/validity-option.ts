import { InvalidArgumentError, Option } from 'commander';
import { longestPeriod } from '../config/duration.ts';
import { parsePeriodUpTo, type Period, type WithinOption } from './period-option.ts';
import { defaultValidityMs } from '../operations/issuing/validity.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface ValidityOption {
  readonly validity?: Period;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
// What the Kubernetes API itself takes at least (expirationSeconds of a CertificateSigningRequest).
const shortestMs = 10 * minuteMs;

export function validityOption(): Option {
  return new Option(
    '--validity <duration>',
    "how long they are valid, such as 720h, 90d or 2y (default: the configuration's, or a year)",
  ).argParser((text: string): Period => {
    const period = parsePeriodUpTo(`${longestPeriod}, and no certificate outlives its CA`, text);
    if (period.milliseconds < shortestMs) {
      throw new InvalidArgumentError('it is less than 10 minutes (m is minutes; a month is about 30d)');
    }
    return period;
  });
}

/** `12m` is twelve minutes, and may have been meant as months. */
export function warnOfShortValidity({ validity }: ValidityOption, terminal: Terminal): void {
  if (validity === undefined || validity.milliseconds >= dayMs) return;
  terminal.warning(`--validity ${validity.text} is less than a day`);
}

/** A certificate that is due on its first day would be renewed by every run of a timer. */
export function warnOfDueAgain(
  { validity, within }: ValidityOption & WithinOption,
  configuredMs: number | undefined,
  terminal: Terminal,
): void {
  const validityMs = validity?.milliseconds ?? configuredMs ?? defaultValidityMs;
  if (within === undefined || validityMs > within.milliseconds) return;
  terminal.warning(
    `--within ${within.text} is as long as new certificates are valid, or longer: every run renews them again`,
  );
}

/** The same flag again, for a command line in a hint. */
export function validityFlags({ validity }: ValidityOption): string[] {
  return validity === undefined ? [] : ['--validity', validity.text];
}
