import type { Left } from '../../operations/renewal/resting.ts';
import { commandLine } from '../../errors/command-line.ts';
import type { Typed } from '../../flags/table.ts';
import type { Selection } from './selection.ts';
import type { Node } from '../../node/node-options.ts';
import type { Snapshot } from '../../node/snapshot.ts';
import { examination } from '../../operations/examination/examination.ts';
import type { Finding } from '../../operations/examination/finding.ts';
import type { DueSettings, Resting } from '../../operations/renewal/resting.ts';
import type { ShownLeft } from '../../render/change/renewal.ts';
import { warnOfFindings, type Terminal } from '../../terminal/terminal.ts';

/** What `--within` decides by, the same for every way to renew. Without `--within` nothing is examined. */
export function dueSettingsOf(
  node: Node,
  snapshot: Snapshot,
  selection: Selection,
  { within, force = false }: Typed<'within'> & { readonly force?: boolean },
  now: Date,
): DueSettings {
  const insisted = force && selection.kind === 'named';
  if (within === undefined) return { due: undefined, findings: [], insisted };
  return {
    due: { now, withinMs: within.milliseconds },
    findings: examineAll(node, snapshot, now),
    insisted,
  };
}

export function examineAll({ flags }: Node, { inventory, keys }: Snapshot, now: Date): readonly Finding[] {
  return examination({ inventory, keys, now, command: commandLine(flags) });
}

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
