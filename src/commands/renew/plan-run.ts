import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { CertificateEntry, Inventory } from '../../inventory/inventory.ts';
import type { PrivateKeys } from '../../inventory/private-keys.ts';
import { readIssuers } from '../../inventory/issuers.ts';
import type { Finding } from '../../operations/examination/finding.ts';
import { remedyFor } from '../../operations/examination/authority-remedy.ts';
import { exposedKeys } from '../../operations/renewal/renewal-warnings.ts';
import { externalFault, isExternalFault } from '../../operations/examination/external-authority.ts';
import { planRenewals, staysDue, type PlannedRenewal } from '../../operations/renewal/plan-renewal.ts';
import { faultsOf, restOf, type DueSettings } from '../../operations/renewal/resting.ts';
import { copiedSpecs, planCopies, type PlannedCopy } from '../../operations/renewal/admin-copies.ts';
import { defaultValidityMs } from '../../operations/issuing/validity.ts';
import type { SanWish } from '../../operations/names/change-sans.ts';
import { examineAll } from './within.ts';
import { namedAlgorithm, type Node } from '../../node/node-options.ts';
import { readManaged } from '../../node/snapshot.ts';
import { readCopyFiles } from './copy-files.ts';
import { selectedSpecs, type Selection } from './selection.ts';
import { sanSettings } from './wished-sans.ts';

export interface RenewalRun {
  readonly now: Date;
  readonly inventory: Inventory;
  readonly keys: PrivateKeys;
  readonly plan: readonly PlannedRenewal[];
  /** Of the external CAs that were asked for, where kubeadm would have stopped. */
  readonly faults: readonly KubepkiError[];
  /** With `--within`: of the CAs of what was asked for, whether anything is due or not. */
  readonly authorityFaults: readonly Finding[];
  /** Host paths of private keys that every user of the machine may read. */
  readonly exposed: readonly string[];
  /** Of the copies of admin.conf that were named. */
  readonly copies: readonly PlannedCopy[];
  /** With `--within`: something will still be due afterwards, as its CA ends. */
  readonly staysDue: boolean;
}

/** What the command line decides about the new certificates. */
export interface RenewalWishes {
  /** undefined: as long as the configuration, or kubeadm, says. */
  readonly validityMs: number | undefined;
  /** undefined: the SANs stay. */
  readonly sans: SanWish | undefined;
  /** Also take away SANs that are still used, and with `withinMs` renew what was named and is not sound. */
  readonly force?: boolean;
  /** Copies of admin.conf, as typed. */
  readonly copies?: readonly string[] | undefined;
  /** Why a copy is left out, by its host path. */
  readonly givenUp?: ReadonlyMap<string, KubepkiError>;
  /** Only what expires within so many milliseconds; undefined: everything. */
  readonly withinMs?: number | undefined;
}

/** Reads the node's files and decides for each selected certificate; what it reads it reads now. */
export function planRenewalRun(
  node: Node,
  selection: Selection,
  wishes: RenewalWishes,
  now: Date,
): RenewalRun {
  const { config } = node;
  const isKubeletNamed = selection.kind === 'named' && selection.specs.includes(kubeletKubeconfig);
  const snapshot = readManaged(node, { withKubelet: isKubeletNamed });
  const { inventory, keys } = snapshot;
  const specs = selectedSpecs(selection, inventory);
  const sans = sanSettings(wishes.sans, node, wishes);
  const findings = examineAll(node, snapshot, now);
  const due = wishes.withinMs === undefined ? undefined : { now, withinMs: wishes.withinMs };
  const insisted = wishes.force === true && selection.kind === 'named';
  const dueSettings: DueSettings = { due, findings, insisted };
  const resting = new Set(
    inventory.certificates
      .filter((entry) => specs.includes(entry.spec) && rests(entry, { ...dueSettings, sans }))
      .map(({ spec }) => spec),
  );
  const command = commandLine(node.flags);
  const wanted = specs.filter((spec) => !resting.has(spec));
  const caNames = new Set(wanted.map(({ caName }) => caName));
  const plan = planRenewals(inventory, specs, {
    ...dueSettings,
    now,
    validityMs: wishes.validityMs ?? config?.certificateValidityMs ?? defaultValidityMs,
    encryptionAlgorithm: namedAlgorithm(node),
    sans,
    issuers: readIssuers(inventory, caNames, now, (authority, certificate) =>
      remedyFor(authority, certificate, command),
    ),
    keys,
    command,
  });
  const ofTheseCas = inventory.certificates.filter(({ spec }) => caNames.has(spec.caName));
  // What is left alone says by itself what is wrong with it.
  const unsound = new Set(plan.flatMap((one) => (one.status === 'unsound' ? [one.spec.name] : [])));
  const names = new Set(ofTheseCas.map(({ spec }) => spec.name).filter((name) => !unsound.has(name)));
  return {
    now,
    inventory,
    plan,
    faults: findings
      .filter((finding) => names.has(finding.name) && isExternalFault(finding, inventory))
      .map(externalFault),
    authorityFaults:
      due === undefined
        ? []
        : [...new Set(specs.map(({ caName }) => caName))].flatMap((name) => faultsOf(name, findings)),
    exposed: exposedKeys(keys),
    copies: planCopies(readCopyFiles(node.layout.root, wishes.copies ?? [], wishes.givenUp), {
      inventory,
      keys,
      originals: copiedSpecs(specs),
      renewed: plan.flatMap(({ status, spec }) => (status === 'renewable' ? [spec] : [])),
    }),
    keys,
    staysDue: staysDue(plan, due),
  };
}

/** What is refused does not rest: the plan says why. */
function rests(entry: CertificateEntry, settings: Parameters<typeof restOf>[1]): boolean {
  try {
    return restOf(entry, settings) !== undefined;
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return false;
  }
}
