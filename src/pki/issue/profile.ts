import type { Certificate } from '../certificate/certificate.ts';
import { extensionIds, type Extension } from '../extension/extension.ts';

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

// These belong to one key, one issuer or one issuance; they are made anew or have no meaning in the next certificate.
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

/** The same with one extension said otherwise: in its place, or last where there was none. */
export function withExtension(profile: CertificateProfile, extension: Extension): CertificateProfile {
  const { extensions } = profile;
  const isThere = extensions.some(({ id }) => id === extension.id);
  return {
    ...profile,
    extensions: isThere
      ? extensions.map((other) => (other.id === extension.id ? extension : other))
      : [...extensions, extension],
  };
}

/** Same subject, same extensions with the same criticality in the same order: byte for byte. */
export function sameProfile(a: CertificateProfile, b: CertificateProfile): boolean {
  return (
    a.subject.equals(b.subject) &&
    a.extensions.length === b.extensions.length &&
    a.extensions.every((extension, index) => b.extensions[index]?.der.equals(extension.der) ?? false)
  );
}
