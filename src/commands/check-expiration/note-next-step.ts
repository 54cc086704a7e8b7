import { commandLine } from '../../errors/command-line.ts';
import { nextSteps, type ExpirationReport } from '../../operations/expiration/expiration-report.ts';
import type { Node } from '../../node/node-options.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** For a person who has just seen that certificates have expired. A log needs no advice, and stdout is the table. */
export function noteNextStep(report: ExpirationReport, { flags }: Node, terminal: Terminal): void {
  const command = commandLine(flags);
  for (const { names, externally } of nextSteps(report)) {
    const renew = `renew ${names.join(' ')} ${externally ? '--csr-only' : '--restart'}`;
    terminal.hint(`to renew what has expired: ${command(renew)}`);
  }
}
