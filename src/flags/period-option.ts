import { InvalidArgumentError, Option } from 'commander';
import { longestPeriod, parsePeriod } from '../config/duration.ts';
import { tooLong } from './duration-option.ts';

/** A period as typed, and what it is. */
export interface Period {
  readonly text: string;
  readonly milliseconds: number;
}

/** @throws InvalidArgumentError for anything but a period of more than 0 */
export function parsePeriodOption(text: string): Period {
  return parsePeriodUpTo(longestPeriod, text);
}

/**
 * @param longest what to say of one that is too long
 * @throws InvalidArgumentError
 */
export function parsePeriodUpTo(longest: string, text: string): Period {
  const milliseconds = parsePeriod(text);
  if (milliseconds === 'too-long') throw new InvalidArgumentError(tooLong(longest));
  if (milliseconds === undefined) throw new InvalidArgumentError('use a duration such as 720h, 90d or 2y');
  return { text, milliseconds };
}

export interface WithinOption {
  /** undefined: what is due does not matter. */
  readonly within?: Period;
}

export function withinOption(description: string): Option {
  return new Option('--within <duration>', description).argParser(parsePeriodOption);
}
