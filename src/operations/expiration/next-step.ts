import { hasExpired } from './due.ts';
import type { KubeadmReport, ExpirationRow } from './expiration-report.ts';

/** What is to be renewed now, by those who can sign it. */
interface NextStep {
  /** As `renew` takes them: `all`, or names. */
  readonly names: readonly string[];
  /** The key of the CA is elsewhere: requests must be made for it. */
  readonly externally: boolean;
}

/** What has expired, and can be renewed: what a CA has signed that has expired itself cannot. */
export function nextSteps({ certificates, certificateAuthorities }: KubeadmReport): NextStep[] {
  const ended = new Set(certificateAuthorities.filter(isExpired).map(({ name }) => name));
  return [false, true].flatMap((externally) => {
    const expired = certificates
      .filter(isExpired)
      .filter((row) => row.externallyManaged === externally && !ended.has(row.caName ?? ''))
      .map(({ name }) => name);
    if (expired.length === 0) return [];
    const everything = certificates.every(
      ({ name, status }) => status === 'missing' || expired.includes(name),
    );
    return [{ names: everything ? ['all'] : expired, externally }];
  });
}

function isExpired(row: ExpirationRow): row is Extract<ExpirationRow, { readonly status: 'present' }> {
  // What is wrong in another way has a remedy of its own.
  return row.status === 'present' && hasExpired(row.residualMs) && row.faults.length === 0;
}
