import { createHash } from 'node:crypto';
import type { Certificate } from './certificate.ts';

/** SHA-256 of the DER, upper-case hex without colons. */
export function fingerprintOf(certificate: Certificate): string {
  return createHash('sha256').update(certificate.der).digest('hex').toUpperCase();
}

/** Two's complement (X.690, 8.3.3). RFC 5280, 4.1.2.2: positive; but what is there is shown as it is. */
export function serialNumberOf({ serialNumber }: Certificate): bigint {
  return BigInt.asIntN(8 * serialNumber.length, BigInt(`0x0${serialNumber.toString('hex')}`));
}

/** Upper-case hex, as openssl prints it: whole bytes, and a sign before a negative number, such as `-05`. */
export function serialOf(certificate: Certificate): string {
  const number = serialNumberOf(certificate);
  const hex = (number < 0n ? -number : number).toString(16).toUpperCase();
  return `${number < 0n ? '-' : ''}${hex.padStart(hex.length + (hex.length % 2), '0')}`;
}

/**
 * Go 1.23 and later, and so every component of a current Kubernetes, do not even read such a certificate. Zero, which RFC
 * 5280, 4.1.2.2 forbids as well, they do: CAs of kubeadm 1.20 and older have it.
 */
export function hasNegativeSerial(certificate: Certificate): boolean {
  return serialNumberOf(certificate) < 0n;
}
