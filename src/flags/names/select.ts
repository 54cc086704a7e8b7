import { certificates, type CertificateSpec } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import type { NodeOptions } from '../../node/node-options.ts';
import { requireCertificateNames } from './unknown-name.ts';
import { isMissed } from '../../inventory/look-ups.ts';

/** `all`: every certificate kubeadm manages here. `named`: exactly these, and each that is not renewed matters. */
export type Selection =
  | { readonly kind: 'all'; readonly confirm: boolean }
  | { readonly kind: 'named'; readonly specs: readonly CertificateSpec[] };

/**
 * @param options for the command lines in hints
 * @throws KubepkiError usage for a name that is not in the catalog
 */
export function parseSelection(names: readonly string[], options: NodeOptions): Selection {
  // The Kubernetes documentation writes `kubeadm certs renew` for everything; kubeadm itself wants `all`.
  if (names.length === 0) return { kind: 'all', confirm: true };
  if (names.includes('all')) {
    if (names.length === 1) return { kind: 'all', confirm: false };
    throw new KubepkiError('usage', '"all" stands alone, it cannot be combined with names');
  }
  const allowed = ['all', ...certificates.map(({ name }) => name)];
  requireCertificateNames(names, allowed, { verb: 'renewed', options });
  // In the catalog's order, each once, whatever the order on the command line.
  return { kind: 'named', specs: certificates.filter(({ name }) => names.includes(name)) };
}

export function selectedSpecs(selection: Selection, inventory: Inventory): readonly CertificateSpec[] {
  if (selection.kind === 'named') return selection.specs;
  return inventory.certificates
    .filter((entry) => entry.state.status !== 'missing' || isMissed(entry))
    .map(({ spec }) => spec);
}
