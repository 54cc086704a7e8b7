import ipaddr from 'ipaddr.js';
import { contentOf, contextPrimitive, encodeDer, parseDer, partsOf, sequence, type Asn1 } from './der.ts';
import { extensionIds, newExtension, type Extension } from './extension.ts';

/** RFC 5280, 4.2.1.6: the GeneralNames that are a single string. */
const textKinds: Readonly<Record<number, string>> = { 1: 'email', 2: 'DNS', 6: 'URI' };
const dnsName = 2;
const ipAddress = 7;

/** A GeneralName, as one reads it: `DNS:kubernetes`, `IP:10.96.0.1`, `URI:spiffe://…`; anything else as `[tag]:hex`. */
export type GeneralName = string;

/** @throws KubepkiError bad-certificate */
export function parseSubjectAltName(extension: Extension | undefined): readonly GeneralName[] {
  return extension === undefined ? [] : partsOf(parseDer(extension.value)).map(describe);
}

/**
 * As kubeadm builds it: the DNS names, then the IP addresses. Not critical, as a subject is always there.
 * @returns undefined for none: an empty SAN is not allowed
 */
export function subjectAltName(
  dnsNames: readonly string[],
  ipAddresses: readonly string[],
): Extension | undefined {
  const names = [...dnsNames.map(dnsEntry), ...ipAddresses.map(addressEntry)];
  return names.length === 0 ? undefined : newExtension(extensionIds.subjectAltName, false, sequence(names));
}

export function dnsEntry(name: string): Asn1 {
  return contextPrimitive(dnsName, Buffer.from(name, 'latin1'));
}

/** RFC 5280, 4.2.1.6: four octets, or sixteen. Go's net.IP writes an IPv4-mapped address as four. */
export function addressEntry(address: string): Asn1 {
  return contextPrimitive(ipAddress, Buffer.from(ipaddr.process(address).toByteArray()));
}

/** One of the names, as one reads it. */
export function describe(name: Asn1): GeneralName {
  const text = textKinds[name.type];
  if (text !== undefined && typeof name.value === 'string') {
    return `${text}:${contentOf(name).toString('latin1')}`;
  }
  if (name.type === ipAddress && typeof name.value === 'string') {
    const bytes = contentOf(name);
    // To Go an IPv4-mapped address is the IPv4 address, and its CAs write it as one.
    if (bytes.length === 4 || bytes.length === 16) {
      return `IP:${ipaddr.process(ipaddr.fromByteArray([...bytes]).toString()).toString()}`;
    }
  }
  return `[${String(name.type)}]:${encodeDer(name).toString('hex')}`;
}
