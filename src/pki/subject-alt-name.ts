import { isIP } from 'node:net';
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
  const names = [
    ...dnsNames.map((name) => contextPrimitive(dnsName, Buffer.from(name, 'latin1'))),
    ...ipAddresses.map((address) => contextPrimitive(ipAddress, ipBytes(address))),
  ];
  return names.length === 0 ? undefined : newExtension(extensionIds.subjectAltName, false, sequence(names));
}

function describe(name: Asn1): GeneralName {
  const text = textKinds[name.type];
  if (text !== undefined && typeof name.value === 'string') {
    return `${text}:${contentOf(name).toString('latin1')}`;
  }
  if (name.type === ipAddress && typeof name.value === 'string') {
    const bytes = contentOf(name);
    if (bytes.length === 4 || bytes.length === 16) return `IP:${ipText(bytes)}`;
  }
  return `[${String(name.type)}]:${encodeDer(name).toString('hex')}`;
}

/** The canonical text of an address: two spellings of one address are the same SAN. */
export function canonicalIp(address: string): string {
  return ipText(ipBytes(address));
}

function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return [...bytes].join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  // WHATWG's URL parser writes IPv6 as RFC 5952 does.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

// RFC 5280, 4.2.1.6: four octets, or sixteen, in network byte order. Go's net.IP writes an IPv4-mapped address as four.
function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bytes = Buffer.alloc(16);
  [...left, ...(tail === undefined ? [] : zeros), ...right].forEach((group, index) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2);
  });
  const mapped = bytes.subarray(0, 12).equals(Buffer.from('00000000000000000000ffff', 'hex'));
  return mapped ? bytes.subarray(12) : bytes;
}
