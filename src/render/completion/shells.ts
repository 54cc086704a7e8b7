import { bashCompletion } from './bash.ts';
import type { CommandTree } from './command-tree.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

/** The script that each shell completes by. All words but the IDs of backups are in it: no program is started to complete one. */
export const completionScripts = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} satisfies Record<string, (program: CommandTree) => string>;
