import ipaddr from 'ipaddr.js';
import {
  contentOf,
  contextPrimitive,
  encodeDer,
  isContext,
  parseDer,
  partsOf,
  sequence,
  tagged,
  type Asn1,
} from '../der/der.ts';
import type { Usage } from './key-usage.ts';
import { extensionIds, newExtension, type Extension } from './extension.ts';

/** RFC 5280, 4.2.1.6: the GeneralNames that are a single string. */
const textKinds: Readonly<Record<number, string>> = { 1: 'email', 2: 'DNS', 6: 'URI' };
const dnsName = 2;
const ipAddress = 7;

/** A GeneralName as a person reads it: `DNS:kubernetes`, `IP:10.96.0.1`, `URI:spiffe://…`; any other as `[tag]:hex`. */
export type GeneralName = string;

/** @throws KubepkiError bad-certificate */
export function parseSubjectAltName(extension: Extension | undefined): readonly GeneralName[] {
  return extension === undefined ? [] : partsOf(parseDer(extension.value)).map(describe);
}

/**
 * Whether a server's certificate has no name that its clients could compare with. Since 1.15 Go passes over the common name, so
 * every client of a current Kubernetes refuses such a certificate.
 */
export function isNameless(
  { usages }: { readonly usages: readonly Usage[] },
  subjectAltName: Extension | undefined,
): boolean {
  return usages.includes('serverAuth') && !isServerNameAmong(parseSubjectAltName(subjectAltName));
}

/** RFC 6125, 6.4: a client compares the name by which it called the server with these alone. */
export function isServerNameAmong(names: readonly GeneralName[]): boolean {
  return names.some((name) => /^(?:DNS|IP):/.test(name));
}

/**
 * Builds the extension as kubeadm does: the DNS names, then the IP addresses. It is not critical, as a subject is always there.
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

export function describe(name: Asn1): GeneralName {
  const text = textKinds[name.type];
  if (text !== undefined && typeof name.value === 'string') {
    return `${text}:${contentOf(name).toString('latin1')}`;
  }
  if (name.type === ipAddress && [4, 16].includes(name.value.length) && typeof name.value === 'string') {
    const address = ipaddr.fromByteArray([...contentOf(name)]);
    // Go takes an IPv4-mapped address for the IPv4 address, and its CAs write it as one.
    const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
    return `IP:${(isMapped ? address.toIPv4Address() : address).toString()}`;
  }
  return `[${String(name.type)}]:${encodeDer(name).toString('hex')}`;
}

/** One name of a SAN, told apart for a decision. */
export type ServerName =
  /** The name as the SAN has it, even where it is no host name. */
  | { readonly kind: 'dns'; readonly name: string }
  /** In its canonical form; an IPv4-mapped address is the IPv4 address. */
  | { readonly kind: 'ip'; readonly address: string }
  /** An e-mail address, a URI, an otherName, an address of a wrong length and the like, as a person reads it. */
  | { readonly kind: 'other'; readonly shown: string };

/** @throws KubepkiError bad-certificate */
export function serverNames(subjectAltName: Extension): readonly ServerName[] {
  return partsOf(tagged('sequence', parseDer(subjectAltName.value))).map((name) => {
    // `describe` looks at the tag's number alone, and an INTEGER has the number of DNS names.
    if (!isContext(name, name.type))
      return { kind: 'other', shown: `DER:${encodeDer(name).toString('hex')}` };
    const shown = describe(name);
    if (shown.startsWith('DNS:')) return { kind: 'dns', name: shown.slice('DNS:'.length) };
    if (shown.startsWith('IP:')) return { kind: 'ip', address: shown.slice('IP:'.length) };
    return { kind: 'other', shown };
  });
}
