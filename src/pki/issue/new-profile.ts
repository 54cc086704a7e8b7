import { extendedKeyUsage, type Usage } from '../extension/extended-key-usage.ts';
import { keyUsage } from '../extension/key-usage.ts';
import { distinguishedName } from '../der/name.ts';
import type { CertificateProfile } from './profile.ts';
import { subjectAltName } from '../extension/subject-alt-name.ts';

interface LeafIdentity {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly usages: readonly Usage[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** A leaf's profile as kubeadm's NewSignedCert makes it. */
export function newProfile(identity: LeafIdentity): CertificateProfile {
  const names = subjectAltName(identity.dnsNames, identity.ipAddresses);
  return {
    subject: distinguishedName(identity.organizations, identity.commonName),
    extensions: [
      keyUsage(['digitalSignature', 'keyEncipherment']),
      extendedKeyUsage(identity.usages),
      ...(names === undefined ? [] : [names]),
    ],
  };
}
