import type { CertificateFacts } from '../../changeset/change-set.ts';
import { fingerprintOf, serialOf, type Certificate } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';

/** What a backup's manifest says of a certificate. */
export function factsOf(certificate: Certificate): CertificateFacts {
  return {
    serial: serialOf(certificate),
    fingerprint: fingerprintOf(certificate),
    notAfter: isoSeconds(certificate.notAfter),
  };
}
