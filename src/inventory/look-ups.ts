import type { CaName } from '../catalog/catalog.ts';
import type { AuthorityEntry, CertificateEntry, Inventory } from './inventory.ts';

/** Only the node where `kubeadm init` ran has a super-admin.conf: nowhere else is it missing. */
export function isMissed({ spec, state }: CertificateEntry): boolean {
  return state.status === 'missing' && !(spec.kind === 'kubeconfig' && spec.optional);
}

export function findAuthority(inventory: Inventory, name: CaName): AuthorityEntry | undefined {
  return inventory.authorities.find((entry) => entry.spec.name === name);
}
