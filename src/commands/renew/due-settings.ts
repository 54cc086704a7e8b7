import { commandLine } from '../../errors/command-line.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { readPrivateKeys, type PrivateKeys } from '../../inventory/private-keys.ts';
import { examination } from '../../operations/examination/examination.ts';
import type { Finding } from '../../operations/examination/finding.ts';
import type { DueSettings } from '../../operations/renewal/resting.ts';
import type { Node } from '../../node/node-options.ts';
import type { WithinOption } from '../../flags/period-option.ts';
import type { Selection } from '../../flags/names/select.ts';

/** What `--within` decides by, and the keys, the same for every way to renew. Without `--within` nothing is examined. */
export function dueSettingsOf(
  node: Node,
  inventory: Inventory,
  selection: Selection,
  { within, force = false }: WithinOption & { readonly force?: boolean },
  now: Date,
): DueSettings & { readonly keys: PrivateKeys } {
  const keys = readPrivateKeys(inventory);
  const insisted = force && selection.kind === 'named';
  if (within === undefined) return { due: undefined, findings: [], insisted, keys };
  return {
    due: { now, withinMs: within.milliseconds },
    findings: examineAll(node, inventory, keys, now),
    insisted,
    keys,
  };
}

export function examineAll(
  { flags }: Node,
  inventory: Inventory,
  keys: PrivateKeys,
  now: Date,
): readonly Finding[] {
  return examination({ inventory, keys, now, command: commandLine(flags) });
}
