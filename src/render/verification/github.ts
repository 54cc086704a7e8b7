import { printable } from '../printable.ts';
import type { NodeVerification } from '../../operations/verification/verification.ts';

const commands = { error: 'error', unchecked: 'error', warning: 'warning', note: 'notice' } as const;

/** GitHub's workflow commands: a line for each thing that was found, which its runner shows beside the file. */
export function githubLines(nodes: readonly NodeVerification[]): string {
  return nodes
    .flatMap(({ told, error }) => [
      ...(error === undefined ? [] : [`::error title=kubepki::${data(error.oneLine)}\n`]),
      ...told.map(({ check, grade, file, message, hint }) => {
        const said = `${message}${hint === undefined ? '' : `; ${hint}`}`;
        return `::${commands[grade]} file=${property(file)},title=${property(check)}::${data(said)}\n`;
      }),
    ])
    .join('');
}

// actions/toolkit, packages/core/src/command.ts: what would end the line, and in a property what would end that.
function data(text: string): string {
  // A line break would end the command, and printable leaves none.
  return printable(text).replaceAll('%', '%25');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
