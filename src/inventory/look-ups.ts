import type { FileTarget, SigningFiles } from '../changeset/change-set.ts';
import type { CaName } from '../catalog/catalog.ts';
import type { AuthorityEntry, CertificateEntry, FoundPlace, Inventory } from './inventory.ts';
import type { PrivateKeys } from './private-keys.ts';
import type { Reading } from './reading.ts';

/** Only the node where `kubeadm init` ran has a super-admin.conf: nowhere else is it missing. */
export function isMissed({ spec, state }: CertificateEntry): boolean {
  return state.status === 'missing' && !(spec.kind === 'kubeconfig' && spec.optional);
}

export function findAuthority(inventory: Inventory, name: CaName): AuthorityEntry | undefined {
  return inventory.authorities.find((entry) => entry.spec.name === name);
}

/** @throws KubepkiError why it could not be read */
export function present<T>(reading: Reading<T> | undefined): T {
  if (reading?.status === 'present') return reading.value;
  if (reading?.status === 'unreadable') throw reading.error;
  throw new TypeError('planned with something that was not read');
}

/**
 * The place of a certificate that was read.
 * @throws KubepkiError where the key's file could not be looked at, or makes no room for another key
 */
export function placeIn(entry: CertificateEntry, keys: PrivateKeys): FoundPlace {
  const key = keys.get(entry.spec.name)?.replaceable;
  if (entry.kind === 'leaf') {
    return { kind: 'leaf', certificate: present(entry.state).file, key: present(key) };
  }
  const { keyPath, certificateFile: certificate, ...state } = present(entry.state);
  return { kind: 'kubeconfig', ...state, certificate, key: keyPath === undefined ? undefined : present(key) };
}

/** The CAs that these certificates are from, as far as their files could be read, each with where those go. */
export function signingFiles(
  { authorities }: Inventory,
  certificates: readonly {
    readonly spec: { readonly caName: CaName };
    readonly place: { readonly targets: readonly FileTarget[] };
  }[],
): SigningFiles[] {
  return authorities.flatMap(({ spec, file }) => {
    const theirs = certificates.filter((one) => one.spec.caName === spec.name);
    return file === undefined || theirs.length === 0
      ? []
      : [{ certificate: file, targets: theirs.flatMap(({ place }) => place.targets) }];
  });
}
