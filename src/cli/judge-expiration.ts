import type { ExpirationResult } from '../operations/expiration.ts';
import { expiringWithin, findingsOf } from '../operations/findings.ts';
import { faultsText, remainingText } from '../render/findings.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import type { Period } from './period-option.ts';
import type { Terminal } from './terminal.ts';

/** What `--within` ends with. The reason goes to stderr, so that the mail of a cron job tells it. */
export function judgeExpiration(
  { report, problems }: ExpirationResult,
  within: Period,
  terminal: Pick<Terminal, 'warning'>,
): ExitCode {
  const findings = findingsOf(report);
  const expiring = expiringWithin(findings, within.milliseconds);
  if (findings.faults.length > 0) terminal.warning(faultsText(findings.faults));
  if (expiring.length > 0) terminal.warning(`expiring within ${within.text}: ${remainingText(expiring)}`);
  if (findings.faults.length > 0 || problems.length > 0) return exitCodes.expired;
  return expiring.length > 0 ? exitCodes.expiring : exitCodes.done;
}
