import type { Certificate } from '../certificate/certificate.ts';
import { contentOf, isUniversal, parseDer, primitive } from '../der/der.ts';
import { extensionIds, findExtension, newExtension, type Extension } from './extension.ts';

// RFC 5280, 4.2.1.3: bit 0 is the first byte's highest.
const bits = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04 } as const;

type KeyUsage = keyof typeof bits;

/** @returns undefined when the certificate has no keyUsage, and so says nothing */
export function assertsKeyUsage(certificate: Certificate, usage: KeyUsage): boolean | undefined {
  const extension = findExtension(certificate.extensions, 'keyUsage');
  if (extension === undefined) return undefined;
  const value = parseDer(extension.value);
  // After the byte that counts the BIT STRING's unused bits.
  return isUniversal(value, 'bitString') && ((contentOf(value)[1] ?? 0) & bits[usage]) !== 0;
}

/** Critical, as kubeadm has it. */
export function keyUsage(usages: readonly KeyUsage[]): Extension {
  const byte = usages.reduce((sum, usage) => sum | bits[usage], 0);
  // X.690, 11.2.2: trailing zero bits of a named bit list are left out, and counted.
  const unused = byte === 0 ? 0 : 31 - Math.clz32(byte & -byte);
  return newExtension(extensionIds.keyUsage, true, primitive('bitString', Buffer.from([unused, byte])));
}
