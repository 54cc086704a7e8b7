import { InvalidArgumentError, Option } from 'commander';
import type { DocumentFormat } from '../render/document.ts';
import { offering } from './names/offering.ts';

export type OutputFormat = 'text' | DocumentFormat;

export interface OutputOption {
  readonly output: OutputFormat;
}

export function outputOption(): Option {
  const option = new Option('-o, --output <format>', 'text, json or yaml');
  return offering(option, ['text', 'json', 'yaml']).default('text').argParser(parseOutput);
}

/** @throws InvalidArgumentError */
function parseOutput(value: string): OutputFormat {
  const format = withoutEquals(value);
  if (format === 'text' || format === 'json' || format === 'yaml') return format;
  throw new InvalidArgumentError('use text, json or yaml');
}

/** Go's flag parser takes `-o=json` too. */
export function withoutEquals(value: string): string {
  return value.replace(/^=/, '');
}
