import { allRows, expiringWithin, findingsOf } from '../../operations/expiration/expiration-report.ts';
import type { ExpirationResult } from '../../operations/expiration/expiration.ts';
import { nagiosLine, type NagiosVerdict, type Thresholds } from '../../render/expiration/nagios.ts';
import { nagiosCodes, type ExitCode } from '../../terminal/exit-code.ts';

const codes = { OK: nagiosCodes.ok, WARNING: nagiosCodes.warning, CRITICAL: nagiosCodes.critical } as const;

export function nagiosResult(
  { report, problems }: Pick<ExpirationResult, 'report' | 'problems'>,
  thresholds: Thresholds,
): { readonly text: string; readonly code: ExitCode } {
  const verdict = verdictOf({ report, problems }, thresholds);
  return { text: nagiosLine(verdict, allRows(report), thresholds), code: codes[verdict.status] };
}

function verdictOf(
  { report, problems }: Pick<ExpirationResult, 'report' | 'problems'>,
  thresholds: Thresholds,
): NagiosVerdict {
  const findings = findingsOf(report);
  const { faults } = findings;
  const common = { faults, problems, next: findings.remaining[0] };
  const warning = expiringWithin(findings, thresholds.warningMs);
  const critical = expiringWithin(findings, thresholds.criticalMs);
  if (faults.length > 0 || problems.length > 0 || critical.length > 0) {
    return { ...common, status: 'CRITICAL', due: warning };
  }
  return { ...common, status: warning.length > 0 ? 'WARNING' : 'OK', due: warning };
}
