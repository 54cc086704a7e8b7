import type { Certificate } from '../certificate/certificate.ts';
import { contentOf, isUniversal, oid, parseDer, partsOf, primitive, sequence } from '../der/der.ts';
import { extensionIds, findExtension, newExtension, type Extension } from './extension.ts';

// RFC 5280, 4.2.1.3: bit 0 is the first byte's highest.
const bits = { digitalSignature: 0x80, keyEncipherment: 0x20, keyCertSign: 0x04 } as const;

type KeyUsage = keyof typeof bits;

/** @returns undefined when the certificate has no keyUsage, and so says nothing */
export function assertsKeyUsage(certificate: Certificate, usage: KeyUsage): boolean | undefined {
  const extension = findExtension(certificate.extensions, 'keyUsage');
  if (extension === undefined) return undefined;
  const value = parseDer(extension.value);
  // The first byte counts the BIT STRING's unused bits.
  return isUniversal(value, 'bitString') && ((contentOf(value)[1] ?? 0) & bits[usage]) !== 0;
}

/** A critical extension, as kubeadm has it. */
export function keyUsage(usages: readonly KeyUsage[]): Extension {
  const byte = usages.reduce((sum, usage) => sum | bits[usage], 0);
  // X.690, 11.2.2: trailing zero bits of a named bit list are left out, and counted.
  const unused = byte === 0 ? 0 : 31 - Math.clz32(byte & -byte);
  return newExtension(extensionIds.keyUsage, true, primitive('bitString', Buffer.from([unused, byte])));
}

/** What TLS asks of an end entity (RFC 5280, 4.2.1.12). */
export type Usage = 'serverAuth' | 'clientAuth';

// Content bytes of the OIDs, in hex.
const ids: Readonly<Record<Usage, string>> = {
  serverAuth: '2b06010505070301', // 1.3.6.1.5.5.7.3.1
  clientAuth: '2b06010505070302', // 1.3.6.1.5.5.7.3.2
};
const anyExtendedKeyUsage = '551d2500'; // 2.5.29.37.0

/** An extension that is not critical, as kubeadm has it. */
export function extendedKeyUsage(usages: readonly Usage[]): Extension {
  return newExtension(extensionIds.extendedKeyUsage, false, sequence(usages.map((usage) => oid(ids[usage]))));
}

/** The OIDs of a certificate's extended key usages: content bytes in hex. */
export function extendedKeyUsageIds({ extensions }: Pick<Certificate, 'extensions'>): readonly string[] {
  const extension = findExtension(extensions, 'extendedKeyUsage');
  const parts = extension === undefined ? [] : partsOf(parseDer(extension.value));
  return parts.map((id) => contentOf(id).toString('hex'));
}

/**
 * Which of the usages a certificate lacks. By RFC 5280 a certificate without the extension may be used for anything, but kubeadm
 * and Go's TLS peers want the usage said: such a certificate lacks them all.
 */
export function missingUsages(certificate: Certificate, wanted: readonly Usage[]): Usage[] {
  const present = extendedKeyUsageIds(certificate);
  return present.includes(anyExtendedKeyUsage) ? [] : wanted.filter((usage) => !present.includes(ids[usage]));
}
