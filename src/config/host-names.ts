import { isIP } from 'node:net';

// RFC 1123: labels of letters, digits and hyphens; Kubernetes wants lower case.
const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const dnsName = new RegExp(`^${label}(?:\\.${label})*$`);
// k8s.io/apimachinery, IsDNS1123Subdomain and IsWildcardDNS1123Subdomain.
const maxLength = 253;
// RFC 1035, 2.3.4.
const maxLabelLength = 63;

/** Whether Kubernetes calls it a DNS name, and lets a node be called so: `10.0.0.1` is such a name too. */
export function isDnsName(text: string): boolean {
  return text.length <= maxLength && dnsName.test(text);
}

/**
 * Whether it is a DNS name that can be looked up, in lower case. RFC 1123, 2.1: its last label is not all digits, which tells it
 * from an address; `10.0.0.300` is neither.
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
 * Whether Go's net.ParseIP takes it for an IP address. It has no zone (`fe80::1%eth0`), which means something to one machine only,
 * and no leading zero, which some programs read as octal (RFC 6943, 3.1.1).
 */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

/** Whether it may become a SAN: an address, a DNS name in lower case, or a wildcard. */
export function isSan(text: string): boolean {
  return isAddress(text) || isHostName(text.replace(/^\*\.(?=.)/, 'x.'));
}

export const sanRule = 'must be an IP address, a DNS name (RFC 1123) or a wildcard such as "*.example.com"';
