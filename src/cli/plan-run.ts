import { readInventory } from '../inventory/inventory.ts';
import { readIssuers } from '../inventory/issuers.ts';
import { readKeyTargets } from '../inventory/key-targets.ts';
import { planRenewals, type PlannedRenewal } from '../operations/plan-renewal.ts';
import { defaultValidityMs } from '../operations/validity.ts';
import type { Node } from './node-options.ts';
import { selectedSpecs, type Selection } from './select.ts';

/** Reads the node's files and decides for each selected certificate; what it reads it reads now. */
export function planRun({ layout, config }: Node, selection: Selection, now: Date): PlannedRenewal[] {
  const inventory = readInventory(layout, config?.etcd ?? 'stacked');
  const specs = selectedSpecs(selection, inventory);
  return planRenewals(inventory, specs, {
    now,
    validityMs: config?.certificateValidityMs ?? defaultValidityMs,
    encryptionAlgorithm: config?.encryptionAlgorithm,
    issuers: readIssuers(inventory, new Set(specs.map(({ caName }) => caName)), now),
    keyTargets: readKeyTargets(inventory),
  });
}
