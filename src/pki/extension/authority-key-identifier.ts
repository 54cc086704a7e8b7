import type { Certificate } from '../certificate/certificate.ts';
import { contentOf, isContext, parseDer, partsOf } from '../der/der.ts';
import { findExtension } from './extension.ts';

/**
 * Whether the authority key identifier of a certificate that this CA has signed names the CA by its serial number (RFC 5280, 4.2.1.1).
 * OpenSSL and node refuse such a certificate under a CA of another serial number, although name and key be the same; so that a CA which
 * is made anew must keep the number. They compare it even where no issuer stands beside it. A CA may name itself so, too.
 */
export function namesBySerial(certificate: Certificate, authority: Certificate): boolean {
  const extension = findExtension(certificate.extensions, 'authorityKeyIdentifier');
  if (extension === undefined) return false;
  // SEQUENCE { keyIdentifier [0], authorityCertIssuer [1], authorityCertSerialNumber [2] }, each OPTIONAL
  const serial = partsOf(parseDer(extension.value)).find((part) => isContext(part, 2));
  return (
    serial !== undefined &&
    typeof serial.value === 'string' &&
    contentOf(serial).equals(authority.serialNumber)
  );
}
