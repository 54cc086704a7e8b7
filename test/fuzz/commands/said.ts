import { exitCodeOf } from '../../../src/terminal/exit-code.ts';
import type { Terminal } from '../../../src/terminal/terminal.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { collecting } from '../../support/collecting.ts';

/** What a command would have written, and the exit code of the process. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command as main.ts does, with a terminal whose outputs only collect.
 * @throws what is no KubepkiError: main.ts would call it an internal error
 */
export async function collected(command: (terminal: Terminal) => Promise<number>): Promise<Said> {
  const { said, open } = collecting();
  const terminal = open();
  const run = async (): Promise<number> => {
    try {
      return await command(terminal);
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      terminal.error(error);
      return exitCodeOf(error.code);
    }
  };
  const code = await run();
  return { code, ...said };
}
