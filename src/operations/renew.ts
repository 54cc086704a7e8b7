import { replaceFile, type ChangeSet, type FileChange, type FileTarget } from '../changeset/change-set.ts';
import type { Kubeconfig } from '../kubeconfig/kubeconfig.ts';
import { rewriteKubeconfig } from '../kubeconfig/rewrite.ts';
import { encodeCertificates, type Certificate } from '../pki/certificate.ts';
import { chainBehind } from '../pki/chain.ts';
import { issueCertificate } from '../pki/issue.ts';
import type { LocalIssuer } from '../pki/issuer.ts';
import { encodePrivateKey, publicKeyOf, type PrivateKey } from '../pki/private-key.ts';
import { targetsOf, type Renewable } from './plan-renewal.ts';

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
export function changedTargets({ place, issuer }: Renewable): FileTarget[] {
  const targets = targetsOf(place);
  if (place.kind === 'leaf') return targets;
  const { kubeconfig, file, certificateFile } = place.state;
  if (certificateFile === undefined || place.keyFile === undefined) return targets;
  return rewriteKubeconfig(kubeconfig, newAuthority(kubeconfig, issuer)) === kubeconfig.text
    ? targets.filter((target) => target !== file)
    : targets;
}

// kubeadm embeds the first certificate of ca.crt; with a bundle, the others are trusted as well.
function newAuthority({ clusterCa }: Kubeconfig, issuer: LocalIssuer): { readonly clusterCaPem?: string } {
  return clusterCa.kind === 'data' ? { clusterCaPem: encodeCertificates(issuer.bundle) } : {};
}

function changesOf({ place, issuer }: Renewable, certificatePem: string, keyPem: string): FileChange[] {
  // Modes of new files are kubeadm's: 0600 for keys, 0644 for certificates.
  const keyChange = place.keyFile && replaceFile(place.keyFile, keyPem, 0o600);
  if (place.kind === 'leaf') {
    return [replaceFile(place.keyFile, keyPem, 0o600), replaceFile(place.state.file, certificatePem, 0o644)];
  }
  const { kubeconfig, file, certificateFile } = place.state;
  const text = rewriteKubeconfig(kubeconfig, {
    ...(certificateFile === undefined ? { clientCertificatePem: certificatePem } : {}),
    ...(place.keyFile === undefined ? { clientKeyPem: keyPem } : {}),
    ...newAuthority(kubeconfig, issuer),
  });
  return [
    ...(keyChange === undefined ? [] : [keyChange]),
    ...(certificateFile === undefined ? [] : [replaceFile(certificateFile, certificatePem, 0o644)]),
    ...(text === kubeconfig.text ? [] : [replaceFile(file, text, 0o600)]),
  ];
}
