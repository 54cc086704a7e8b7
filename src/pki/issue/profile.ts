import type { Certificate } from '../certificate/certificate.ts';
import { distinguishedName } from '../der/name.ts';
import { extensionIds, type Extension } from '../extension/extension.ts';
import { extendedKeyUsage, keyUsage, type Usage } from '../extension/key-usage.ts';
import { subjectAltName } from '../extension/subject-alt-name.ts';

/**
 * What a certificate says about its holder, to be said again by the next one: everything but the key, the issuer, the
 * validity and the serial number. Bytes, so that nothing is lost: kubeadm rebuilds the subject from CN and O and drops
 * OU, e-mail and URI SANs, and EKUs it does not know.
 */
export interface CertificateProfile {
  /** DER of the Name. */
  readonly subject: Buffer;
  readonly extensions: readonly Extension[];
}

// These belong to one key, one issuer or one issuance: they are made anew, or mean nothing in the next certificate.
const perIssuance: ReadonlySet<string> = new Set([
  extensionIds.basicConstraints,
  extensionIds.subjectKeyIdentifier,
  extensionIds.authorityKeyIdentifier,
  extensionIds.signedCertificateTimestamps,
]);

export function profileOf(certificate: Certificate): CertificateProfile {
  return {
    subject: certificate.subject,
    extensions: certificate.extensions.filter((extension) => !perIssuance.has(extension.id)),
  };
}

/** The profile with another extension in the place of the one of that kind, or last where there was none. */
export function withExtension(profile: CertificateProfile, extension: Extension): CertificateProfile {
  const extensions = profile.extensions.map((other) => (other.id === extension.id ? extension : other));
  return {
    ...profile,
    extensions: extensions.includes(extension) ? extensions : [...extensions, extension],
  };
}

/** Whether subject and extensions are the same byte for byte: the criticality and the order too. */
export function sameProfile(a: CertificateProfile, b: CertificateProfile): boolean {
  return (
    a.subject.equals(b.subject) &&
    a.extensions.length === b.extensions.length &&
    a.extensions.every((extension, index) => b.extensions[index]?.der.equals(extension.der) ?? false)
  );
}

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
