import type { Command } from 'commander';
import { completionScripts } from '../../render/completion/shells.ts';
import { commandTree } from './command-tree.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Shell } from './shells.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** @param program the whole command line, which the script is made from */
export function printCompletion(shell: Shell, program: Command, terminal: Terminal): ExitCode {
  terminal.result(completionScripts[shell](commandTree(program)));
  return exitCodes.done;
}
