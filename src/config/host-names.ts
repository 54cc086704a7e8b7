import { isIP } from 'node:net';

// RFC 1123: labels of letters, digits and hyphens; Kubernetes wants lower case.
const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const dnsName = new RegExp(`^${label}(?:\\.${label})*$`);
const wildcard = new RegExp(`^\\*(?:\\.${label})+$`);
// k8s.io/apimachinery, IsDNS1123Subdomain and IsWildcardDNS1123Subdomain.
const maxLength = 253;

export function isDnsName(text: string): boolean {
  return text.length <= maxLength && dnsName.test(text);
}

/** What kubeadm lets a configuration name as a SAN: an address (without a zone), a DNS name or a wildcard. */
export function isSan(text: string): boolean {
  const isAddress = isIP(text) !== 0 && !text.includes('%');
  return isAddress || isDnsName(text) || (text.length <= maxLength && wildcard.test(text));
}

export const sanRule = 'must be an IP address, a DNS name (RFC 1123) or a wildcard such as "*.example.com"';
