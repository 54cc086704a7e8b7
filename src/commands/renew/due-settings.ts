import { commandLine } from '../../errors/command-line.ts';
import { examination } from '../../operations/examination/examination.ts';
import type { Finding } from '../../operations/examination/finding.ts';
import type { DueSettings } from '../../operations/renewal/resting.ts';
import type { Node } from '../../node/node-options.ts';
import type { Snapshot } from '../../node/snapshot.ts';
import type { Typed } from '../../flags/table.ts';
import type { Selection } from './selection.ts';

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
