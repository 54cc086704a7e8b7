import type { Resting } from '../../operations/renewal/resting.ts';
import type { RestingOutcome } from '../../render/change/renewal.ts';
import { warnOfFindings, type Terminal } from '../../terminal/terminal.ts';

/** What there is to say of a certificate that `--within` leaves as it is. */
export function restingOutcome(planned: Exclude<Resting, { status: 'same-sans' }>): RestingOutcome {
  const { longName } = planned.spec;
  return planned.status === 'not-due'
    ? { status: 'not-due', longName, notAfter: planned.notAfter }
    : { status: 'unsound', longName, reasons: planned.findings.map(({ summary }) => summary) };
}

type Planned = { readonly status: string } | Resting;

/** A timer must not be green while something is wrong. */
export function isAnyUnsound(plan: readonly Planned[]): boolean {
  return plan.some(isUnsound);
}

/** Why, and what mends it. */
export function warnOfUnsound(plan: readonly Planned[], terminal: Terminal): void {
  warnOfFindings(
    plan.filter(isUnsound).flatMap(({ findings }) => findings),
    terminal,
  );
}

function isUnsound(planned: Planned): planned is Extract<Resting, { status: 'unsound' }> {
  return planned.status === 'unsound';
}
