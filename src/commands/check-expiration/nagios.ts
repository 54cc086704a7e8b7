import { allRows, expiringWithin, findingsOf } from '../../operations/expiration/expiration-report.ts';
import type { ExpirationResult } from '../../operations/expiration/expiration.ts';
import { nagiosLine, type NagiosVerdict, type Thresholds } from '../../render/expiration/nagios.ts';
import { nagiosCodes, type ExitCode } from '../../terminal/exit-code.ts';

/** What a plugin judges. */
export type Judged = Pick<ExpirationResult, 'report' | 'problems'> & {
  /** The nodes whose documents do not count, each with the reason. */
  readonly doubts?: readonly string[];
};

const codes = { OK: nagiosCodes.ok, WARNING: nagiosCodes.warning, CRITICAL: nagiosCodes.critical } as const;

export function nagiosResult(
  { report, problems, doubts = [] }: Judged,
  thresholds: Thresholds,
): { readonly text: string; readonly code: ExitCode } {
  const verdict = verdictOf({ report, problems, doubts }, thresholds);
  return { text: nagiosLine(verdict, allRows(report), thresholds), code: codes[verdict.status] };
}

function verdictOf({ report, problems, doubts }: Required<Judged>, thresholds: Thresholds): NagiosVerdict {
  const findings = findingsOf(report);
  const { faults } = findings;
  const common = { faults, problems, doubts, next: findings.remaining[0] };
  const warning = expiringWithin(findings, thresholds.warningMs);
  const critical = expiringWithin(findings, thresholds.criticalMs);
  if (faults.length + problems.length + doubts.length > 0 || critical.length > 0) {
    return { ...common, status: 'CRITICAL', due: warning };
  }
  return { ...common, status: warning.length > 0 ? 'WARNING' : 'OK', due: warning };
}
