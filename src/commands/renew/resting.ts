import type { Left, Resting } from '../../operations/renewal/resting.ts';
import type { ShownLeft } from '../../render/change/renewal.ts';
import { warnOfFindings } from '../../terminal/findings.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** What there is to say of a certificate that is left as it is. */
export function shownAsLeft(planned: Left): ShownLeft {
  const { longName } = planned.spec;
  switch (planned.status) {
    case 'missing':
    case 'same-sans':
      return { status: planned.status, longName };
    case 'not-due':
      return { status: 'not-due', longName, notAfter: planned.notAfter };
    case 'unsound':
      return { status: 'unsound', longName, reasons: planned.findings.map(({ summary }) => summary) };
    case 'refused':
      throw new TypeError('what is refused is never reported as done');
  }
}

type Planned = { readonly status: string } | Resting;

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
