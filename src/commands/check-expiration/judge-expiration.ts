import {
  type ExpirationReport,
  expiringWithin,
  findingsOf,
  toldByRows,
} from '../../operations/expiration/expiration-report.ts';
import type { ExpirationResult } from '../../operations/expiration/expiration.ts';
import { faultsText, remainingText } from '../../render/expiration/findings.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Period } from '../../flags/period-option.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** What `--within` ends with. The reason goes to stderr, so that the mail of a cron job tells it. */
export function judgeExpiration(
  { report, problems }: ExpirationResult,
  within: Period,
  terminal: Pick<Terminal, 'warning'>,
): ExitCode {
  const findings = findingsOf(report);
  const expiring = expiringWithin(findings, within.milliseconds);
  warnOfRows(report, terminal);
  if (expiring.length > 0) terminal.warning(`expiring within ${within.text}: ${remainingText(expiring)}`);
  if (findings.faults.length > 0 || problems.length > 0) return exitCodes.expired;
  return expiring.length > 0 ? exitCodes.expiring : exitCodes.done;
}

/** What nothing but the rows tells: what else is wrong, and what has no row, is said with its file. */
export function warnOfRows(report: ExpirationReport, terminal: Pick<Terminal, 'warning'>): void {
  const told = toldByRows(findingsOf({ ...report, unlisted: [] }));
  if (told.length > 0) terminal.warning(faultsText(told));
}
