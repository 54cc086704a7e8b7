import { certificates, kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import { isAddress } from '../../config/host-names.ts';
import { KubepkiError } from '../../errors/error.ts';
import { longOf, sanFlags, type Typed } from '../../flags/table.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { isMissed } from '../../inventory/look-ups.ts';
import { copiedSpecs } from '../../operations/renewal/admin-copies.ts';
import { describeNames, type ServerNames } from '../../pki/extension/edit-subject-alt-name.ts';

/** `all`: every certificate kubeadm manages here. `named`: exactly these, and each that is not renewed matters. */
export type Selection =
  | { readonly kind: 'all'; readonly confirm: boolean }
  | { readonly kind: 'named'; readonly specs: readonly CertificateSpec[] };

/** What may be named. `all` leaves the kubelet's out, as kubeadm does: the kubelet renews it while it can. */
export const renewable: readonly CertificateSpec[] = [...certificates, kubeletKubeconfig];

/** @throws KubepkiError usage. Whether each is a name is seen to before (`renew-flags.ts`). */
export function parseSelection(names: readonly string[]): Selection {
  // The Kubernetes documentation writes `kubeadm certs renew` for everything; kubeadm itself wants `all`.
  if (names.length === 0) return { kind: 'all', confirm: true };
  if (names.includes('all')) {
    if (names.length === 1) return { kind: 'all', confirm: false };
    throw new KubepkiError('usage', '"all" stands alone, it cannot be combined with names');
  }
  // In the catalog's order, each once, whatever the order on the command line.
  return { kind: 'named', specs: renewable.filter(({ name }) => names.includes(name)) };
}

export function selectedSpecs(selection: Selection, inventory: Inventory): readonly CertificateSpec[] {
  if (selection.kind === 'named') return selection.specs;
  return inventory.certificates
    .filter((entry) => entry.state.status !== 'missing' || isMissed(entry))
    .map(({ spec }) => spec);
}

export type SanOptions = Typed<(typeof sanFlags)[number] | 'config'>;

/** @throws KubepkiError usage for copies of what is not among the selected */
export function requireOriginals(
  selection: Selection,
  { updateKubeconfig }: Typed<'updateKubeconfig'>,
): void {
  if (updateKubeconfig === undefined || selection.kind === 'all') return;
  if (copiedSpecs(selection.specs).length > 0) return;
  throw new KubepkiError('usage', `${longOf('updateKubeconfig')} goes with admin.conf or super-admin.conf`, {
    hint: 'those are what people copy: name it too, or all',
  });
}

/** What was asked for on the command line, which the configuration may have to say more about. */
export type AskedSans =
  | { readonly kind: 'edit'; readonly add: ServerNames; readonly remove: ServerNames }
  | { readonly kind: 'configured' };

/**
 * @returns undefined when the SANs are to stay as they are
 * @throws KubepkiError usage
 */
export function parseAskedSans(selection: Selection, options: SanOptions): AskedSans | undefined {
  const given = sanFlags.find((name) => options[name] !== undefined);
  if (given === undefined) return undefined;
  requireServers(selection, longOf(given));
  if (options.sansFromConfig !== true) {
    const [add, remove] = [serverNames(options.addSan), serverNames(options.removeSan)];
    requireApart(add, remove);
    return { kind: 'edit', add, remove };
  }
  if (options.config === undefined) {
    throw new KubepkiError('usage', '--sans-from-config needs --config', {
      hint: 'name the kubeadm configuration: --config kubeadm.yaml',
    });
  }
  return { kind: 'configured' };
}

function requireServers(selection: Selection, flag: string): void {
  const servers = certificates.filter(({ subject }) => subject.names !== 'none');
  const hint = `name one or more of: ${servers.map(({ name }) => name).join(', ')}`;
  if (selection.kind === 'all')
    throw new KubepkiError('usage', `${flag} needs the names of certificates`, { hint });
  const other = selection.specs.find((spec) => !servers.includes(spec));
  if (other !== undefined) {
    throw new KubepkiError('usage', `${flag} does not go with ${other.name}, which has no SANs`, { hint });
  }
}

function requireApart(add: ServerNames, remove: ServerNames): void {
  const removed = describeNames(remove);
  const name = describeNames(add).find((one) => removed.includes(one));
  if (name !== undefined) {
    throw new KubepkiError('usage', `${name} is in both --add-san and --remove-san`);
  }
}

function serverNames(names: readonly string[] = []): ServerNames {
  return {
    dnsNames: names.filter((name) => !isAddress(name)),
    ipAddresses: names.filter(isAddress),
  };
}
