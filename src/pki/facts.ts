import { createHash } from 'node:crypto';
import type { Certificate } from './certificate.ts';

/** SHA-256 of the DER, upper-case hex without colons. */
export function fingerprintOf(certificate: Certificate): string {
  return createHash('sha256').update(certificate.der).digest('hex').toUpperCase();
}

/** Upper-case hex, as openssl prints it: whole bytes, without the one that only keeps a number positive. */
export function serialOf(certificate: Certificate): string {
  return certificate.serialNumber
    .toString('hex')
    .replace(/^(?:00)+(?=.)/, '')
    .toUpperCase();
}

/** RFC 5280, 4.1.2.2 wants a positive number; Go (since 1.23), and so Kubernetes, parses no certificate with a negative one. */
export function isNegative({ serialNumber }: Pick<Certificate, 'serialNumber'>): boolean {
  return ((serialNumber[0] ?? 0) & 0x80) !== 0;
}

/** X.690, 8.3: two's complement. */
export function serialNumberOf({ serialNumber }: Pick<Certificate, 'serialNumber'>): bigint {
  return BigInt.asIntN(serialNumber.length * 8, BigInt(`0x0${serialNumber.toString('hex')}`));
}
