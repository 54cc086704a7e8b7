import { InvalidArgumentError, Option } from 'commander';
import { parsePeriod } from '../config/period.ts';
import type { Terminal } from './terminal.ts';

/** A period as typed, and what it is. */
export interface Period {
  readonly text: string;
  readonly milliseconds: number;
}

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
    const milliseconds = parsePeriod(text);
    if (milliseconds === undefined) throw new InvalidArgumentError('use a duration such as 720h, 90d or 2y');
    if (milliseconds < shortestMs) {
      throw new InvalidArgumentError('it is less than 10 minutes (m is minutes; a month is about 30d)');
    }
    return { text, milliseconds };
  });
}

/** `12m` is twelve minutes, and may have been meant as months. */
export function warnOfShortValidity({ validity }: ValidityOption, terminal: Terminal): void {
  if (validity === undefined || validity.milliseconds >= dayMs) return;
  terminal.warning(`--validity ${validity.text} is less than a day`);
}

/** The same flag again, for a command line in a hint. */
export function validityFlags({ validity }: ValidityOption): string[] {
  return validity === undefined ? [] : ['--validity', validity.text];
}
