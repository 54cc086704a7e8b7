import { hasExpired, isDue } from './due.ts';
import { allRows, type ExpirationReport, type ExpirationRow } from './expiration-report.ts';

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
