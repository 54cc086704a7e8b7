import { InvalidArgumentError } from 'commander';
import { longestGoDuration, parseGoDuration } from '../config/duration.ts';

/**
 * A time-out in Go's units: 0, or more.
 * @param example of what is meant, such as `20s or 3m`
 * @returns milliseconds
 * @throws InvalidArgumentError
 */
export function parseDurationOption(text: string, example: string): number {
  const milliseconds = parseGoDuration(text);
  if (milliseconds === 'too-long') throw new InvalidArgumentError(tooLong(longestGoDuration));
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
  throw new InvalidArgumentError(`use a duration such as ${example}`);
}

export function tooLong(longest: string): string {
  return `it is too long: at most ${longest}`;
}
