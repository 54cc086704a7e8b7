import { commandLine } from '../../errors/command-line.ts';
import { clusterFlags, retyped } from '../../flags/table.ts';
import type { Subject } from '../../operations/examination/examination.ts';
import { endingAuthorities } from '../../operations/expiration/ending-authorities.ts';
import { type ExpirationReport, nextSteps } from '../../operations/expiration/expiration-report.ts';
import type { Node } from '../../node/node-options.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** For a person who has just seen that certificates have expired. A log needs no advice, and stdout is the table. */
export function noteNextStep(
  report: ExpirationReport,
  subject: Subject,
  { flags, typed }: Node,
  terminal: Terminal,
): void {
  // First: no CA signs any more that has expired itself.
  for (const line of endingAuthorities(subject)) terminal.hint(line);
  const command = commandLine([...retyped(typed, clusterFlags), ...flags]);
  for (const { names, externally } of nextSteps(report)) {
    const renew = `renew ${names.join(' ')} ${externally ? '--csr-only' : '--restart'}`;
    terminal.hint(`to renew what has expired: ${command(renew)}`);
  }
}
