import type { Finding } from '../operations/examination/finding.ts';
import type { Terminal } from './terminal.ts';

/** A line each, with what mends it; what mends several is said once, behind the last of them. */
export function warnOfFindings(
  findings: readonly Finding[],
  terminal: Pick<Terminal, 'warning' | 'hint'>,
): void {
  for (const [index, { file, message, hint }] of findings.entries()) {
    terminal.warning(`${file}: ${message}`);
    if (hint !== findings[index + 1]?.hint) terminal.hint(hint);
  }
}
