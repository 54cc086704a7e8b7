import type { SigningFiles } from '../changeset/change-set.ts';
import type { CaName } from '../catalog/catalog.ts';
import type { AuthorityEntry, CertificateEntry, Inventory } from './inventory.ts';

/** Only the node where `kubeadm init` ran has a super-admin.conf: nowhere else is it missing. */
export function isMissed({ spec, state }: CertificateEntry): boolean {
  return state.status === 'missing' && !(spec.kind === 'kubeconfig' && spec.optional);
}

export function findAuthority(inventory: Inventory, name: CaName): AuthorityEntry | undefined {
  return inventory.authorities.find((entry) => entry.spec.name === name);
}

/** The files of the CAs that these certificates are from, as far as they could be read. */
export function signingFiles(
  { authorities }: Inventory,
  specs: readonly { readonly caName: CaName }[],
): SigningFiles[] {
  return authorities.flatMap(({ spec, file, keyPath }) =>
    file !== undefined && specs.some(({ caName }) => caName === spec.name)
      ? [{ certificate: file, keyPath }]
      : [],
  );
}
