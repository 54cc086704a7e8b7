/** One row of check-expiration. */
export type ExpirationRow = {
  /** Where it is, or should be; absent for a tree of which nothing can be read. */
  readonly file?: string;
} & (
  | {
      readonly status: 'present';
      readonly name: string;
      readonly notAfter: Date;
      /** notAfter - now; negative when it has expired. */
      readonly residualMs: number;
      readonly externallyManaged: boolean;
      /** What is wrong with it beside its end, said of it: `has no private key`. */
      readonly faults: readonly string[];
      /** kubeadm would have stopped for it, in external CA mode: `!INVALID!`, with its date. */
      readonly refused: boolean;
      /** Absent for a CA. */
      readonly caName?: string;
    }
  | { readonly status: 'missing'; readonly name: string }
  | { readonly status: 'unreadable'; readonly name: string }
);

/** What kubeadm shows, in its order: bytewise by name. */
export interface KubeadmReport {
  readonly certificates: readonly ExpirationRow[];
  readonly certificateAuthorities: readonly ExpirationRow[];
}

export interface ExpirationReport extends KubeadmReport {
  /** What its tables and documents have no row for: the client certificate for an external etcd. */
  readonly unlisted: readonly ExpirationRow[];
}

export function allRows({
  certificates,
  certificateAuthorities,
  unlisted,
}: ExpirationReport): ExpirationRow[] {
  return [...certificates, ...certificateAuthorities, ...unlisted];
}

/** What is due at a moment: what has expired, and what expires within this time from then. */
export interface DueWindow {
  readonly now: Date;
  readonly withinMs: number;
}

/**
 * Remaining time decides, never a share of the lifetime: kubeadm's leaves carry the notBefore of their CA, so that a year's
 * certificate of an old CA looks nearly used up on its first day.
 */
export function isDue(notAfter: Date, { now, withinMs }: DueWindow): boolean {
  return notAfter.getTime() - now.getTime() <= withinMs;
}

/** At its last second a certificate has expired: nothing can be done with it any more. */
export function hasExpired(residualMs: number): boolean {
  return residualMs <= 0;
}

/** What is wrong with a certificate now. */
export type Fault =
  | { readonly kind: 'expired'; readonly name: string; readonly residualMs: number }
  | { readonly kind: 'missing' | 'unreadable'; readonly name: string }
  /** `reasons` are said of it: `has no private key`. It may have expired as well. */
  | {
      readonly kind: 'invalid';
      readonly name: string;
      readonly reasons: readonly string[];
      readonly residualMs: number;
    };

export interface Remaining {
  readonly name: string;
  /** More than 0. */
  readonly residualMs: number;
}

/** Every row of check-expiration, CAs too, is one or the other. */
interface Findings {
  readonly faults: readonly Fault[];
  /** The next to expire first. */
  readonly remaining: readonly Remaining[];
}

export function findingsOf(report: ExpirationReport): Findings {
  const found = allRows(report).map(findingOf);
  return {
    faults: found.flatMap((one) => ('kind' in one ? [one] : [])),
    remaining: found
      .flatMap((one) => ('kind' in one ? [] : [one]))
      .sort((a, b) => a.residualMs - b.residualMs),
  };
}

export function findingOf(row: ExpirationRow): Fault | Remaining {
  const { name } = row;
  if (row.status !== 'present') return { kind: row.status, name };
  const { residualMs, faults } = row;
  if (faults.length > 0) {
    return { kind: 'invalid', name, reasons: faults, residualMs };
  }
  return hasExpired(residualMs) ? { kind: 'expired', name, residualMs } : { name, residualMs };
}

/** The certificates that expire within a time from now. */
export function expiringWithin({ remaining }: Findings, withinMs: number): readonly Remaining[] {
  const now = new Date(0);
  return remaining.filter(({ residualMs }) => isDue(new Date(residualMs), { now, withinMs }));
}

/** The faults that only the rows tell: every other fault is said with its file and its remedy. */
export function toldByRows({ faults }: Findings): readonly Fault[] {
  return faults.flatMap((fault): readonly Fault[] => {
    if (fault.kind !== 'invalid') return [fault];
    const { name, residualMs } = fault;
    return hasExpired(residualMs) ? [{ kind: 'expired', name, residualMs }] : [];
  });
}

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
