import { replaceFile, type ChangeSet, type FileChange, type FileTarget } from '../../changeset/change-set.ts';
import { encodeCertificates, type Certificate } from '../../pki/certificate/certificate.ts';
import { chainBehind } from '../../pki/path/chain.ts';
import { issueCertificate } from '../../pki/issue/issue.ts';
import { encodePrivateKey, publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import type { TrustingKubeconfig } from '../issuing/kubeconfig-authority.ts';
import { changingFiles, kubeconfigChanges } from '../issuing/kubeconfig-changes.ts';
import { changingOf, targetsOf, type Renewable } from './plan-renewal.ts';

/** The chance that goes into one certificate. */
export interface Fresh {
  readonly privateKey: PrivateKey;
  /** Content bytes of the INTEGER. */
  readonly serialNumber: Buffer;
}

/** A certificate that was issued but is not on disk yet. */
export interface Renewed {
  readonly renewable: Renewable;
  readonly certificate: Certificate;
  readonly changes: ChangeSet;
}

/** Issues the new certificate and says which files change. */
export function renew(renewable: Renewable, fresh: Fresh): Renewed {
  const { place, issuer, profile, validity } = renewable;
  const certificate = issueCertificate(issuer, {
    profile,
    publicKey: publicKeyOf(fresh.privateKey),
    serialNumber: fresh.serialNumber,
    notBefore: validity.notBefore,
    notAfter: validity.notAfter,
  });
  const certificatePem = encodeCertificates([certificate, ...chainBehind(certificate, place.state.chain)]);
  const keyPem = encodePrivateKey(fresh.privateKey);
  return { renewable, certificate, changes: changesOf(renewable, certificatePem, keyPem) };
}

/** The files that {@link renew} changes, known before there is a key: only a kubeconfig that names its files may stay. */
export function changedTargets({ place }: Renewable): FileTarget[] {
  return place.kind === 'leaf' ? targetsOf(place) : changingFiles(changingOf(place));
}

/** The kubeconfigs among them, with the CAs they trust. */
export function trustingKubeconfigs(renewables: readonly Renewable[]): TrustingKubeconfig[] {
  return renewables.flatMap(({ place, caFile, issuer: { bundle } }) => {
    if (place.kind === 'leaf') return [];
    const { trusted, state } = place;
    const { file, kubeconfig, authorityFile } = state;
    const { clusterName } = kubeconfig;
    return [{ file: file.path, clusterName, trusted, authorityFile, caFile, bundle }];
  });
}

function changesOf({ place }: Renewable, certificatePem: string, keyPem: string): FileChange[] {
  if (place.kind === 'kubeconfig') return kubeconfigChanges(changingOf(place), { certificatePem, keyPem });
  // Modes of new files are kubeadm's: 0600 for keys, 0644 for certificates.
  return [replaceFile(place.keyFile, keyPem, 0o600), replaceFile(place.state.file, certificatePem, 0o644)];
}
