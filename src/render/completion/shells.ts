import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

/**
 * The script that each shell completes by. It asks the program (`kubepki __complete WORD… PARTIAL`), which answers with candidates, one a
 * line with a tab and a description, and a last line: `:words`, or `:files` or `:directories` where the shell knows better.
 */
export const completionScripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };
