import { InvalidArgumentError, Option } from 'commander';
import { shellWord } from '../errors/shell-word.ts';

export interface DeployHookOption {
  readonly deployHook?: string;
}

export function deployHookOption(description = 'a shell command to run once after a change'): Option {
  return new Option('--deploy-hook <command>', description).argParser((value: string) => {
    if (value.trim() === '') throw new InvalidArgumentError('it is empty');
    return value;
  });
}

/** The same flag again, for a command line in a hint. */
export function deployHookFlags({ deployHook }: DeployHookOption): string[] {
  return deployHook === undefined ? [] : ['--deploy-hook', shellWord(deployHook)];
}
