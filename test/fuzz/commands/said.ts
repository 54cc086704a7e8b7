import { exitCodeOf } from '../../../src/terminal/exit-code.ts';
import type { Terminal } from '../../../src/terminal/terminal.ts';
import { KubepkiError } from '../../../src/errors/error.ts';
import { renderError, renderHint, renderNote, renderWarning } from '../../../src/render/diagnostics.ts';

/** What a command would have written, and the exit code of the process. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command as main.ts does, with a terminal that only collects.
 * @throws what is no KubepkiError: main.ts would call it an internal error
 */
export async function collected(command: (terminal: Terminal) => Promise<number>): Promise<Said> {
  let stdout = '';
  let stderr = '';
  const plain = { colour: false };
  const terminal: Terminal = {
    stdoutColour: false,
    stderrColour: false,
    tableLook: () => undefined,
    interactive: false,
    quiet: false,
    record: (text) => (stderr += renderNote(text, plain)),
    result: (text) => (stdout += text),
    warning: (text) => (stderr += renderWarning(text, plain)),
    note: (text) => (stderr += renderNote(text, plain)),
    banner: (text) => (stderr += `${text}\n`),
    hint: (text) => (stderr += text === undefined ? '' : renderHint(text, plain)),
    error: (error) => (stderr += renderError(error, plain)),
    progress: () => ({ update: () => undefined, end: () => undefined }),
  };
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
  return { code, stdout, stderr };
}
