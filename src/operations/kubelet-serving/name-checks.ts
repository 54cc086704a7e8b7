import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { ServerName } from '../../pki/extension/subject-alt-name.ts';
import { isAllowed, type AllowLists } from './allow-list.ts';
import { shownName, shown, shownList } from './signing-request.ts';
import {
  dnsHost,
  ipHost,
  isHostName,
  type Host,
  type ClusterNode,
  hostsOf,
  type Owner,
} from './surroundings.ts';
import type { Problem } from './request-checks.ts';

/** How the requests were selected, and what the operator says of node addresses. */
export interface Selection {
  /** `all` approves nothing that the lists do not cover; by name, a list counts where it is not empty. */
  readonly by: 'name' | 'all';
  readonly allow: AllowLists;
}

export function presenceProblem(names: readonly ServerName[]): Problem {
  return names.length > 0 ? undefined : 'it asks for no DNS name and no IP address';
}

export function kindsProblem(names: readonly ServerName[]): Problem {
  const others = names.flatMap((name) => (name.kind === 'other' ? [name.shown] : []));
  return others.length === 0
    ? undefined
    : `it asks for names that are neither DNS names nor IP addresses: ${shownList(others)}`;
}

/** Refuses a name that can be no node's, also where the Node or the allow list has it. */
export function valuesProblem(names: readonly ServerName[]): Problem {
  const wrong = names.find((name) => (name.kind === 'dns' ? !isNodeName(name.name) : !isNodeAddress(name)));
  return wrong && `it asks for ${shown(shownName(wrong))}, which can be no node's`;
}

// Where a Node's host name is an address, the kubelet asks for it among the IP addresses.
function isNodeName(name: string): boolean {
  const isLocal = /(?:^|\.)localhost$/i.test(name);
  return isHostName(name) && isIP(name) === 0 && !isLocal;
}

function isNodeAddress(name: ServerName): boolean {
  if (name.kind !== 'ip') return false;
  const never = ['unspecified', 'loopback', 'linkLocal', 'multicast', 'broadcast'];
  return !never.includes(ipaddr.parse(name.address).range());
}

export function addressesProblem(names: readonly ServerName[], node: ClusterNode): Problem {
  const own = hostsOf(node);
  return firstOf(names, (host) =>
    own.includes(host) ? undefined : `is no address of the node ${node.name}`,
  );
}

export function takenProblem(names: readonly ServerName[], owner: (host: Host) => Owner): Problem {
  return firstOf(names, (host) => {
    const found = owner(host);
    return found && `belongs to ${found}`;
  });
}

export function allowProblem(names: readonly ServerName[], { by, allow }: Selection): Problem {
  return firstOf(names, (host) => {
    const flag = host.startsWith('dns:') ? '--allow-dns' : '--allow-cidr';
    const isGiven = (host.startsWith('dns:') ? allow.dns : allow.cidrs).length > 0;
    if (!isGiven) return by === 'all' ? `is not covered: --all wants ${flag}` : undefined;
    return isAllowed(host, allow) ? undefined : `is not covered by ${flag}`;
  });
}

function firstOf(names: readonly ServerName[], problem: (host: Host) => Problem): Problem {
  for (const name of names) {
    const found = name.kind === 'other' ? 'is no host' : problem(hostFor(name));
    if (found !== undefined) return `${shown(shownName(name))} ${found}`;
  }
  return undefined;
}

function hostFor(name: Exclude<ServerName, { kind: 'other' }>): Host {
  return name.kind === 'dns' ? dnsHost(name.name) : ipHost(name.address);
}
