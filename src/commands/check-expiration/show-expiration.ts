import type { KubepkiError } from '../../errors/error.ts';
import type { ExpirationReport } from '../../operations/expiration/expiration-report.ts';
import type { ExpirationResult } from '../../operations/expiration/expiration.ts';
import { expiringWithin, findingsOf, toldByRows } from '../../operations/expiration/expiration-report.ts';
import { faultsText, remainingText } from '../../render/expiration/findings.ts';
import type { Period } from '../../flags/values.ts';
import { exitCodes, nagiosCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Shown } from './present-expiration.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/**
 * Shows what was found out, and then why `--textfile` could not be written.
 * @throws KubepkiError the latter, where a plugin's one line would be less bad than not knowing
 */
export function showExpiration(
  { texts, pluginCode }: Shown,
  unwritten: KubepkiError | undefined,
  terminal: Terminal,
): void {
  const isPlugin = pluginCode !== undefined;
  if (unwritten !== undefined && isPlugin && pluginCode !== nagiosCodes.critical) throw unwritten;
  for (const text of texts) terminal.result(text);
  if (unwritten !== undefined) terminal.error(unwritten);
}

/** Something that expires or has expired is worse than a file that could not be written. */
export function worseOf(code: ExitCode, unwritten: KubepkiError | undefined): ExitCode {
  return unwritten !== undefined && code === exitCodes.done ? exitCodes.error : code;
}

/** What `--within` ends with. The reason goes to stderr, so that the mail of a cron job tells it. */
export function judgeExpiration(
  { report, problems }: Pick<ExpirationResult, 'report' | 'problems'>,
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
