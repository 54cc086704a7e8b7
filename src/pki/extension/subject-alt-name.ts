import ipaddr from 'ipaddr.js';
import {
  contentOf,
  contextPrimitive,
  encodeDer,
  parseDer,
  partsOf,
  sequence,
  type Asn1,
} from '../der/der.ts';
import type { Usage } from './extended-key-usage.ts';
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
 * Whether a server's certificate has no name that its clients could compare with: Go takes the common name for none since
 * 1.15, and so every client of a current Kubernetes refuses it.
 */
export function isNameless(
  { usages }: { readonly usages: readonly Usage[] },
  subjectAltName: Extension | undefined,
): boolean {
  return usages.includes('serverAuth') && !isServerNameAmong(parseSubjectAltName(subjectAltName));
}

/** RFC 6125, 6.4: what a client compares the name with by which it called the server. */
export function isServerNameAmong(names: readonly GeneralName[]): boolean {
  return names.some((name) => /^(?:DNS|IP):/.test(name));
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
