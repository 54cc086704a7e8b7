import { isIP } from 'node:net';

// RFC 1123: labels of letters, digits and hyphens; Kubernetes wants lower case.
const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const dnsName = new RegExp(`^${label}(?:\\.${label})*$`);
// k8s.io/apimachinery, IsDNS1123Subdomain and IsWildcardDNS1123Subdomain.
const maxLength = 253;
// RFC 1035, 2.3.4.
const maxLabelLength = 63;

/** What Kubernetes calls a DNS name, and lets a node be called: `10.0.0.1` is one, too. */
export function isDnsName(text: string): boolean {
  return text.length <= maxLength && dnsName.test(text);
}

/**
 * A DNS name that can be looked up, in lower case. RFC 1123, 2.1: the last label of one is not all digits, so that it is told
 * apart from an address, and `10.0.0.300` is neither.
 */
export function isHostName(text: string): boolean {
  const labels = text.split('.');
  return (
    isDnsName(text) &&
    labels.every(({ length }) => length <= maxLabelLength) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  );
}

/**
 * An IP address as Go's net.ParseIP takes it, and so without a zone (`fe80::1%eth0`): that means something to one machine
 * only. Nor with a leading zero, which some read as octal (RFC 6943, 3.1.1).
 */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** What may become a SAN: an address, a DNS name in lower case, or a wildcard. */
export function isSan(text: string): boolean {
  return isAddress(text) || isHostName(text.replace(/^\*\.(?=.)/, 'x.'));
}

export const sanRule = 'must be an IP address, a DNS name (RFC 1123) or a wildcard such as "*.example.com"';
