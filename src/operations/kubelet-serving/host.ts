import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A DNS name or an address in the one spelling that is compared: `dns:node-1`, `ip:192.0.2.1`. */
export type Host = `dns:${string}` | `ip:${string}`;

/** The host that a text of the Kubernetes API names. */
export function hostOf(text: string): Host {
  // The kubelet (netutils.ParseIPSloppy) takes leading zeros for decimal ones.
  const decimal = /^\d+(?:\.\d+){3}$/.test(text) ? text.replace(/\b0+(?=\d)/g, '') : text;
  return isIP(decimal) === 0 || decimal.includes('%') ? dnsHost(text) : ipHost(decimal);
}

/** Case does not matter, nor does the dot that ends an absolute name. */
export function dnsHost(name: string): Host {
  return `dns:${name.toLowerCase().replace(/\.$/, '')}`;
}

/** @param address without a zone; an IPv4-mapped one is the IPv4 address */
export function ipHost(address: string): Host {
  return `ip:${ipaddr.process(address).toString()}`;
}

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const name = new RegExp(`^${label}(?:\\.${label})*$`);

/** RFC 1123, letters of either case: no wildcard, no dot at the end. */
export function isHostName(text: string): boolean {
  return (
    text.length <= 253 && text.split('.').every(({ length }) => length <= 63) && name.test(text.toLowerCase())
  );
}
