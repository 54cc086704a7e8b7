import type { Certificate } from '../../pki/certificate/certificate.ts';
import type { LocalIssuer } from '../../pki/issue/issuer.ts';

/** kubeadm's CertificateValidityPeriod */
export const defaultValidityMs = 8760 * 3600 * 1000;

// kubeadm's CertificateBackdate: a peer whose clock is a little behind must accept the certificate at once.
const backdateMs = 5 * 60 * 1000;

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The CA ends before the period does, so the certificate ends with it: kubeadm signs beyond, which nothing trusts. */
  readonly capped: boolean;
}

export function validityOf(issuer: LocalIssuer, now: Date, validityMs: number): Validity {
  const ca = issuer.certificate;
  const start = Math.max(now.getTime() - backdateMs, ca.notBefore.getTime());
  const end = now.getTime() + validityMs;
  const capped = end > ca.notAfter.getTime();
  return { notBefore: wholeSeconds(start), notAfter: capped ? ca.notAfter : wholeSeconds(end), capped };
}

/** kubeadm's CACertificateValidityPeriod */
export const defaultAuthorityValidityMs = 10 * defaultValidityMs;

/** A new CA is backdated, too, as kubeadm's is since 1.28: a certificate that it signs at once must not be older than it. */
export function authorityValidity(now: Date, validityMs: number): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: wholeSeconds(now.getTime() - backdateMs),
    notAfter: wholeSeconds(now.getTime() + validityMs),
  };
}

/**
 * When a cross-certificate is valid: in no moment in which the CA that signs it is not, as each certificate of a path must be valid
 * (RFC 5280, 6.1.3), and not beyond the end of the CA whose name it has, as that ends with its own certificate.
 */
export function crossValidity(
  issuer: Certificate,
  authority: Certificate,
  now: Date,
): { notBefore: Date; notAfter: Date } {
  const start = Math.max(now.getTime() - backdateMs, issuer.notBefore.getTime());
  const end = Math.min(issuer.notAfter.getTime(), authority.notAfter.getTime());
  return { notBefore: wholeSeconds(start), notAfter: wholeSeconds(end) };
}

// X.509 has no fractions of a second (RFC 5280, 4.1.2.5).
function wholeSeconds(milliseconds: number): Date {
  return new Date(Math.floor(milliseconds / 1000) * 1000);
}
