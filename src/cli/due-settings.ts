import { commandLine } from '../errors/command-line.ts';
import type { Inventory } from '../inventory/inventory.ts';
import type { PrivateKeys } from '../inventory/private-keys.ts';
import { examination } from '../operations/examination/examination.ts';
import type { DueSettings } from '../operations/resting.ts';
import type { Node } from './node-options.ts';
import type { Selection } from './select.ts';

interface DueWishes {
  /** undefined: nothing has to be due. */
  readonly withinMs?: number | undefined;
  readonly force?: boolean;
}

/** What `--within` decides by, the same for every way to renew. */
export function dueSettingsOf(
  { flags }: Node,
  inventory: Inventory,
  keys: PrivateKeys,
  selection: Selection,
  { withinMs, force = false }: DueWishes,
  now: Date,
): DueSettings {
  return {
    due: withinMs === undefined ? undefined : { now, withinMs },
    findings: examination({ inventory, keys, now, command: commandLine(flags) }),
    insisted: force && selection.kind === 'named',
  };
}
