import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { KubepkiError } from '../../errors/error.ts';
import type { Host } from './surroundings.ts';

/** What the operator says node addresses look like here. */
export interface AllowLists {
  readonly cidrs: readonly AllowedCidr[];
  readonly dns: readonly AllowedDns[];
}

interface AllowedCidr {
  readonly network: ipaddr.IPv4 | ipaddr.IPv6;
  readonly prefixLength: number;
}

interface AllowedDns {
  /** The last label is the first. */
  readonly labels: readonly string[];
  /** Whether other labels stand before these: none, any number of them, or at least one. */
  readonly before: 'nothing' | 'anything' | 'something';
}

// A wider network says nothing of what a node's address looks like: 10.0.0.0/8 is the widest private one.
const widest = { 4: 8, 6: 16 } as const;

/**
 * `192.0.2.0/24`, `2001:db8:1::/48`: a network's first address and its length.
 * @throws KubepkiError usage
 */
export function parseAllowedCidr(text: string): AllowedCidr {
  const [, address = '', digits = ''] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? [];
  const family = isIP(address);
  const prefixLength = Number(digits);
  if ((family !== 4 && family !== 6) || prefixLength > (family === 4 ? 32 : 128)) {
    throw refused('--allow-cidr', text, 'is not a CIDR', 'such as 192.0.2.0/24 or 2001:db8:1::/48');
  }
  if (prefixLength < widest[family]) {
    const hint = `name the networks of the nodes: /${String(widest[family])} or longer`;
    throw refused('--allow-cidr', text, 'is too wide to tell a node by', hint);
  }
  const given = ipaddr.parse(address);
  if (given.kind() === 'ipv6' && (given as ipaddr.IPv6).isIPv4MappedAddress()) {
    throw refused('--allow-cidr', text, 'is an IPv4-mapped network', 'write it as IPv4');
  }
  const network =
    family === 4 ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  // With 192.0.2.10/24 the operator may have meant the one address.
  if (network.toString() !== given.toString()) {
    const meant = `${network.toString()}/${String(prefixLength)}`;
    throw refused('--allow-cidr', text, 'is no network', `the network is ${meant}`);
  }
  return { network, prefixLength };
}

const plainLabel = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const patternLabel = /^[-a-z0-9*]+$/;

/**
 * - `example.internal`: that name and all below it
 * - `.example.internal`: all below it
 * - `node-*.example.internal`: a `*` stands for any characters of one label, or none; as many labels as the pattern has
 * @throws KubepkiError usage
 */
export function parseAllowedDns(text: string): AllowedDns {
  const below = text.startsWith('.');
  const labels = (below ? text.slice(1) : text).toLowerCase().split('.');
  const isPattern = labels.some((label) => label.includes('*'));
  const wellFormed = labels.every((label) => (isPattern ? patternLabel : plainLabel).test(label));
  if (!wellFormed || text.length > 254 || (isPattern && below)) {
    const hint = 'such as example.internal, .example.internal or node-*.example.internal';
    throw refused('--allow-dns', text, 'is neither a DNS suffix nor a pattern', hint);
  }
  // `*` and `*.*` allow every name.
  if (!labels.some((label) => /[a-z0-9]/.test(label))) {
    throw refused('--allow-dns', text, 'allows any name', 'say what the names of nodes look like');
  }
  return { labels: labels.reverse(), before: isPattern ? 'nothing' : below ? 'something' : 'anything' };
}

export function isAllowed(host: Host, { cidrs, dns }: AllowLists): boolean {
  if (host.startsWith('dns:')) {
    const labels = host.slice('dns:'.length).split('.').reverse();
    return dns.some((allowed) => coversName(allowed, labels));
  }
  const address = ipaddr.parse(host.slice('ip:'.length));
  return cidrs.some(
    ({ network, prefixLength }) => network.kind() === address.kind() && address.match(network, prefixLength),
  );
}

function coversName({ labels, before }: AllowedDns, name: readonly string[]): boolean {
  const more = name.length - labels.length;
  const fits = before === 'nothing' ? more === 0 : more >= (before === 'something' ? 1 : 0);
  return fits && labels.every((label, index) => coversLabel(label, name[index] ?? ''));
}

// One pass, leftmost match first: no pattern makes it slow.
function coversLabel(pattern: string, label: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === label;
  if (!label.startsWith(first) || label.length < first.length + last.length || !label.endsWith(last))
    return false;
  let at = first.length;
  const end = label.length - last.length;
  for (const piece of rest) {
    const found = label.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

function refused(flag: string, text: string, what: string, hint: string): KubepkiError {
  return new KubepkiError('usage', `${flag} ${JSON.stringify(text)} ${what}`, { hint });
}
