import { replaceFile } from '../../changeset/change-set.ts';
import type { FoundPlace } from '../../inventory/inventory.ts';
import { kubeconfigPlace } from './kubeconfig-place.ts';
import type { Place, PlaceAuthority } from './place.ts';

/** The one place where it is asked which kind of place a certificate has. */
export function placeOf(found: FoundPlace, authority: PlaceAuthority): Place {
  return found.kind === 'leaf' ? filePair(found) : kubeconfigPlace(found, authority);
}

function filePair({ certificate, key }: Extract<FoundPlace, { kind: 'leaf' }>): Place {
  return {
    file: certificate,
    key,
    targets: [certificate, key],
    changing: [key, certificate],
    trusting: undefined,
    // Modes of new files are kubeadm's: 0600 for keys, 0644 for certificates.
    put: ({ certificatePem, keyPem }) => [
      replaceFile(key, keyPem, 0o600),
      replaceFile(certificate, certificatePem, 0o644),
    ],
    requireRewritable: () => undefined,
    readBack: (read) => ({ certificate: read(certificate), key: read(key), trusts: true }),
  };
}
