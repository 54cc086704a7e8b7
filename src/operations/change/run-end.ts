import { hasExpired } from '../expiration/expiration-report.ts';
import type { CertificateReport, ChangeReport } from './change-report.ts';

/** How a run that changes something ends; each has its exit code. */
type RunEnd =
  'done' | 'error' | 'expiring' | 'expired' | 'notRenewed' | 'changedButNotFinished' | 'unfinished';

/** What decides beside the outcomes. */
export interface Asked {
  /** Certificates were named on the command line: each that is not renewed matters. */
  readonly named: boolean;
  /** A file that was named on the command line stays as it is, and should not. */
  readonly leftAny?: boolean;
  /** With `--within`; undefined: when a certificate ends does not matter. */
  readonly within?:
    | {
        readonly now: Date;
        /** A CA is faulty, or what a renewal has carried over is. */
        readonly faulty: boolean;
        /** Something is due again at once, as its CA ends. */
        readonly staysDue: boolean;
      }
    | undefined;
}

/** What came of that which was to follow the change. `unfinished`: it stopped half-way. */
export type Followed = 'well' | 'failed' | 'unfinished';

/** The one judgement of a report; the worst there is to say comes first. */
export function runEnd(
  report: ChangeReport,
  { named, leftAny = false, within }: Asked = { named: false },
  followed: Followed = 'well',
): RunEnd {
  const { command, certificates } = report;
  if (report.failed) return 'error';
  if (followed !== 'well') return followed === 'failed' ? 'changedButNotFinished' : 'unfinished';
  // A timer must not be green while something is wrong, or has been renewed and is of no more use than before.
  if (within?.faulty === true || certificates.some(({ outcome }) => outcome === 'unsound')) return 'expired';
  if (leftAny || (named && certificates.some((one) => isOwed(one, report)))) return 'notRenewed';
  if (command === 'install' && certificates.every((one) => 'reason' in one)) return 'notRenewed';
  if (within === undefined) return 'done';
  // Only the external CA can renew them, and a timer must say so in time.
  const external = certificates.filter(({ outcome }) => outcome === 'external-ca');
  if (external.some(({ old }) => hasEnded(old, within.now))) return 'expired';
  return external.length > 0 || within.staysDue ? 'expiring' : 'done';
}

/** It was asked for, and is not there. */
function isOwed({ outcome }: CertificateReport, { command }: ChangeReport): boolean {
  switch (outcome) {
    case 'missing':
    case 'external-ca':
    case 'idle':
      return true;
    case 'pending':
      // `--csr-only` asks for no more than a request that waits.
      return command === 'install';
    default:
      return false;
  }
}

function hasEnded(certificate: CertificateReport['old'], now: Date): boolean {
  return certificate !== undefined && hasExpired(Date.parse(certificate.notAfter) - now.getTime());
}
