import { InvalidArgumentError, Option } from 'commander';
import { pathOption } from './options.ts';

/** Which trees, as typed. */
export interface TreesOptions {
  readonly rootfs?: readonly string[];
  /** A file, or `-`. */
  readonly rootfsFrom?: string;
}

export function treesOptions(): Option[] {
  return [
    new Option('--rootfs <dir...>', 'look up absolute paths below this directory, or each').argParser(
      (value: string, before?: readonly string[]) => {
        if (value === '') throw new InvalidArgumentError('it is empty');
        return [...(before ?? []), value];
      },
    ),
    pathOption(
      '--rootfs-from <file>',
      'likewise, for the directories in this file, one on a line or with a NUL after each; - is standard input',
    ),
  ];
}
