import type { Certificate } from './certificate.ts';
import { contentOf, isUniversal, parseDer } from './der.ts';
import { findExtension } from './extension.ts';

// RFC 5280, 4.2.1.3: bit 0 is the first byte's highest.
const bits = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

/** @returns undefined when the certificate has no keyUsage, and so says nothing */
export function assertsKeyUsage(certificate: Certificate, usage: keyof typeof bits): boolean | undefined {
  const extension = findExtension(certificate.extensions, 'keyUsage');
  if (extension === undefined) return undefined;
  const value = parseDer(extension.value);
  // After the byte that counts the BIT STRING's unused bits.
  return isUniversal(value, 'bitString') && ((contentOf(value)[1] ?? 0) & bits[usage]) !== 0;
}
