/** One row of check-expiration. */
export type ExpirationRow = {
  /** Where the certificate is, or should be; absent for a tree in which nothing can be read. */
  readonly file?: string;
} & (
  | {
      readonly status: 'present';
      readonly name: string;
      readonly notAfter: Date;
      /** Negative when it has expired. */
      readonly residualMs: number;
      readonly externallyManaged: boolean;
      /** What is wrong with the certificate beside its end: `has no private key`. */
      readonly faults: readonly string[];
      /** In external CA mode kubeadm would have stopped for it: `!INVALID!`, with its date. */
      readonly refused: boolean;
      /** Absent for a CA. */
      readonly caName?: string;
      /** It renews itself, and is late when no more than this is left; absent: the time that was asked for decides. */
      readonly marginMs?: number;
    }
  | { readonly status: 'missing' | 'unreadable'; readonly name: string }
);

export type AdditionalKind =
  'etcd-client' | 'kubelet-conf' | 'kubelet-client' | 'kubelet-serving' | 'kubeconfig' | 'ca' | 'endpoint';

/** `certificate` and `authority` have kubeadm's rows. */
export type RowKind = 'certificate' | 'authority' | AdditionalKind;

/** A row of any table, with what it is of. */
export type KindRow = ExpirationRow & { readonly kind: RowKind };

/** A certificate for which kubeadm has no row. */
export type AdditionalRow = ExpirationRow & { readonly kind: AdditionalKind };

/** What kubeadm shows, in its order: bytewise by name. With `additional`, what is shown beside it. */
export interface ShownReport {
  readonly certificates: readonly ExpirationRow[];
  readonly certificateAuthorities: readonly ExpirationRow[];
  /** undefined: they were not asked for. */
  readonly additional?: readonly AdditionalRow[];
}

export interface ExpirationReport extends ShownReport {
  /** The client certificate for an external etcd: kubeadm's tables and documents have no row for it. */
  readonly unlisted: readonly ExpirationRow[];
}

export function allRows({
  certificates,
  certificateAuthorities,
  unlisted,
  additional = [],
}: ExpirationReport): ExpirationRow[] {
  return [...certificates, ...certificateAuthorities, ...unlisted, ...additional];
}

/** All in one list. With --all none is unlisted. */
export function kindRows({
  certificates,
  certificateAuthorities,
  additional = [],
}: ExpirationReport): KindRow[] {
  return [
    ...certificates.map((row) => ({ ...row, kind: 'certificate' as const })),
    ...certificateAuthorities.map((row) => ({ ...row, kind: 'authority' as const })),
    ...additional,
  ];
}

/** At the moment `now`, a certificate is due that has expired, or expires within this time. */
export interface DueWindow {
  readonly now: Date;
  readonly withinMs: number;
}

/**
 * The remaining time decides, never a share of the lifetime: kubeadm's leaves have the notBefore of their CA, so that a year's
 * certificate of an old CA would look nearly used up on its first day.
 */
export function isDue(notAfter: Date, { now, withinMs }: DueWindow): boolean {
  return notAfter.getTime() - now.getTime() <= withinMs;
}

/** At its last second a certificate counts as expired: there is no time left to use it. */
export function hasExpired(residualMs: number): boolean {
  return residualMs <= 0;
}

/** What is wrong with a certificate now. */
export type Fault =
  | { readonly kind: 'expired'; readonly name: string; readonly residualMs: number }
  | { readonly kind: 'missing' | 'unreadable'; readonly name: string }
  /** Each of the `reasons` is a predicate: `has no private key`. The certificate may have expired as well. */
  | {
      readonly kind: 'invalid';
      readonly name: string;
      readonly reasons: readonly string[];
      readonly residualMs: number;
    };

export interface Remaining {
  readonly name: string;
  /** More than 0 */
  readonly residualMs: number;
  /** As of its row. */
  readonly marginMs?: number;
}

/** Every row of check-expiration, CAs too, is one or the other. */
interface Findings {
  readonly faults: readonly Fault[];
  /** The next to expire first. */
  readonly remaining: readonly Remaining[];
}

export function findingsOf(report: ExpirationReport): Findings {
  const found = allRows(report).map(findingOf);
  const remaining = found.flatMap((one) => ('kind' in one ? [] : [one]));
  return {
    faults: found.filter((one) => 'kind' in one),
    remaining: remaining.sort((a, b) => a.residualMs - b.residualMs),
  };
}

export function findingOf(row: ExpirationRow): Fault | Remaining {
  const { name } = row;
  if (row.status !== 'present') return { kind: row.status, name };
  const { residualMs, faults: reasons } = row;
  if (reasons.length > 0) return { kind: 'invalid', name, reasons, residualMs };
  if (hasExpired(residualMs)) return { kind: 'expired', name, residualMs };
  return { name, residualMs, ...(row.marginMs !== undefined && { marginMs: row.marginMs }) };
}

/** The certificates that expire within a time from now. */
export function expiringWithin({ remaining }: Findings, withinMs: number): readonly Remaining[] {
  const now = new Date(0);
  return remaining.filter((one) =>
    isDue(new Date(one.residualMs), { now, withinMs: windowOf(one, withinMs) }),
  );
}

/** What renews itself is not expected to be renewed before its time. */
export function windowOf({ marginMs = Infinity }: { readonly marginMs?: number }, withinMs: number): number {
  return Math.min(marginMs, withinMs);
}

/** The faults that only the rows tell: every other fault has a message with its file and its remedy. */
export function toldByRows({ faults }: Findings): readonly Fault[] {
  return faults.flatMap((fault): readonly Fault[] => {
    if (fault.kind !== 'invalid') return [fault];
    const { name, residualMs } = fault;
    return hasExpired(residualMs) ? [{ kind: 'expired', name, residualMs }] : [];
  });
}

/** The certificates that are to be renewed now, and are signed in the same place. */
interface NextStep {
  /** As `renew` takes them: `all`, or names. */
  readonly names: readonly string[];
  /** The keys of the CAs are elsewhere, so that requests must be made. */
  readonly externally: boolean;
}

/** The expired certificates that can be renewed: no CA signs any more that has expired itself. */
export function nextSteps({ certificates, certificateAuthorities }: ShownReport): NextStep[] {
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
  // Another fault has a remedy of its own.
  return row.status === 'present' && hasExpired(row.residualMs) && row.faults.length === 0;
}

/** What does not depend on the moment, and has no row in kubeadm's tables. */
export interface LastingFacts {
  readonly notBefore: Date;
  /** In decimal digits. */
  readonly serialNumber: string;
  /** The values of `CN`, `O` and so on; several of one kind are joined. */
  readonly subject: ReadonlyMap<string, string>;
  readonly issuer: ReadonlyMap<string, string>;
}

export interface NamedFacts extends LastingFacts {
  /** The kubeconfig's user whose certificate it is; undefined: it is in a file of its own. */
  readonly user: string | undefined;
}

/** What a document tells of a node's certificates, by which another machine judges them later. */
export interface ToldRows {
  readonly rows: readonly KindRow[];
  /** By the names of the rows. */
  readonly facts: ReadonlyMap<string, NamedFacts>;
}
