import { commandLine } from '../errors/command-line.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { readIssuers } from '../inventory/issuers.ts';
import { readKeyTargets } from '../inventory/key-targets.ts';
import { externalFaults, type ExternalFault } from '../operations/external-authority.ts';
import { notDueUntil, planRenewals, staysDue, type PlannedRenewal } from '../operations/plan-renewal.ts';
import { defaultValidityMs } from '../operations/validity.ts';
import type { SanWish } from '../operations/change-sans.ts';
import { namedAlgorithm, type Node } from './node-options.ts';
import { selectedSpecs, type Selection } from './select.ts';
import { sanSettings } from './wished-sans.ts';

export interface RenewalRun {
  readonly inventory: Inventory;
  readonly plan: readonly PlannedRenewal[];
  /** Of the external CAs that were asked for. */
  readonly faults: readonly ExternalFault[];
  /** With `--within`: something will still be due afterwards, as its CA ends. */
  readonly staysDue: boolean;
}

/** What the command line decides about the new certificates. */
export interface RenewalWishes {
  /** undefined: as long as the configuration, or kubeadm, says. */
  readonly validityMs: number | undefined;
  /** undefined: the SANs stay. */
  readonly sans: SanWish | undefined;
  /** Also take away SANs that are still used. */
  readonly force?: boolean;
  /** Only what expires within so many milliseconds; undefined: everything. */
  readonly withinMs?: number | undefined;
}

/** Reads the node's files and decides for each selected certificate; what it reads it reads now. */
export function planRun(node: Node, selection: Selection, wishes: RenewalWishes, now: Date): RenewalRun {
  const { layout, config, flags } = node;
  const inventory = readInventory(layout, config?.etcd.kind ?? 'stacked');
  const specs = selectedSpecs(selection, inventory);
  const due = wishes.withinMs === undefined ? undefined : { now, withinMs: wishes.withinMs };
  const resting = new Set(
    inventory.certificates.filter((entry) => notDueUntil(entry, due) !== undefined).map(({ spec }) => spec),
  );
  const wanted = specs.filter((spec) => !resting.has(spec));
  const caNames = new Set(wanted.map(({ caName }) => caName));
  const plan = planRenewals(inventory, specs, {
    now,
    due,
    validityMs: wishes.validityMs ?? config?.certificateValidityMs ?? defaultValidityMs,
    encryptionAlgorithm: namedAlgorithm(node),
    sans: sanSettings(wishes.sans, node, wishes),
    issuers: readIssuers(inventory, caNames, now),
    keyTargets: readKeyTargets(inventory),
  });
  const faults = externalFaults(inventory, commandLine(flags));
  return {
    inventory,
    plan,
    faults: faults.filter(({ spec }) => caNames.has(spec.caName)),
    staysDue: staysDue(plan, due),
  };
}
