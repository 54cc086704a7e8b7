import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * What the cluster says of the owners of names and addresses. A decision needs every list, and each whole: one that cannot be
 * read is an error before the decision, and never an empty list.
 */
export interface Surroundings {
  readonly nodes: readonly ClusterNode[];
  /** The Services of all namespaces. */
  readonly services: readonly ClusterService[];
  /** The addresses in the EndpointSlices of the Service `kubernetes` in `default`. */
  readonly kubernetesEndpoints: readonly string[];
  /** undefined: the cluster has none. */
  readonly controlPlaneEndpoint: ControlPlaneEndpoint | undefined;
  /** `cluster.local`, by default. */
  readonly dnsDomain: string;
}

export interface ControlPlaneEndpoint {
  /** A name or an address, without the port. */
  readonly host: string;
  /** The addresses that the host name leads to. */
  readonly addresses: readonly string[];
}

export interface ClusterNode {
  readonly name: string;
  /** `status.addresses` */
  readonly addresses: readonly { readonly type: string; readonly address: string }[];
}

export interface ClusterService {
  readonly namespace: string;
  readonly name: string;
  /** `spec.clusterIPs`; of a headless Service, `None`. */
  readonly clusterIPs: readonly string[];
  readonly externalIPs: readonly string[];
  /** IPs and host names of `status.loadBalancer.ingress`, and `spec.loadBalancerIP`. */
  readonly loadBalancers: readonly string[];
}

/** A DNS name or an address in the spelling that is compared: `dns:node-1`, `ip:192.0.2.1`. */
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

/** RFC 1123, with letters of either case: neither a wildcard nor a dot at the end. */
export function isHostName(text: string): boolean {
  return (
    text.length <= 253 && text.split('.').every(({ length }) => length <= 63) && name.test(text.toLowerCase())
  );
}

/** The owner of a name or an address, in words; undefined: it has none. */
export type Owner = string | undefined;

export function otherNodeOwning(host: Host, nodeName: string, { nodes }: Surroundings): Owner {
  const isOwner = ({ name, addresses }: ClusterNode): boolean =>
    [name, ...addresses.map(({ address }) => address)].some((one) => hostOf(one) === host);
  const owner = nodes.find((node) => node.name !== nodeName && isOwner(node));
  return owner && `the node ${owner.name}`;
}

export function serviceOwning(host: Host, { services, dnsDomain }: Surroundings): Owner {
  const owner = services.find((service) =>
    [...addressesAt(service), ...namesAt(service, dnsDomain)].some((one) => hostOf(one) === host),
  );
  if (owner !== undefined) return `the Service ${owner.namespace}/${owner.name}`;
  return isInServiceDomain(host, dnsDomain) ? 'the names of Services' : undefined;
}

export function endpointOwning(host: Host, { kubernetesEndpoints }: Surroundings): Owner {
  return kubernetesEndpoints.some((one) => hostOf(one) === host)
    ? 'the endpoints of the Service kubernetes'
    : undefined;
}

/** An address is the endpoint's where its name leads to it. */
export function controlPlaneOwning(host: Host, { controlPlaneEndpoint: endpoint }: Surroundings): Owner {
  if (endpoint === undefined) return undefined;
  const isOwn = [endpoint.host, ...endpoint.addresses].some((one) => hostOf(one) === host);
  return isOwn ? 'the controlPlaneEndpoint' : undefined;
}

/** The addresses of the kinds that a kubelet asks for. A kind that Kubernetes may add is none of them. */
export function hostsOf(node: ClusterNode): readonly Host[] {
  const kinds = ['Hostname', 'InternalDNS', 'ExternalDNS', 'InternalIP', 'ExternalIP'];
  return node.addresses.filter(({ type }) => kinds.includes(type)).map(({ address }) => hostOf(address));
}

function addressesAt({ clusterIPs, externalIPs, loadBalancers }: ClusterService): string[] {
  return [...clusterIPs, ...externalIPs, ...loadBalancers].filter((one) => one !== '' && one !== 'None');
}

// The names by which pods call a Service: their resolv.conf searches NAMESPACE.svc.DOMAIN, svc.DOMAIN and DOMAIN.
function namesAt({ namespace, name }: ClusterService, dnsDomain: string): string[] {
  const full = `${name}.${namespace}.svc`;
  return [name, `${name}.${namespace}`, full, `${full}.${dnsDomain}`];
}

// A Service may be made later than the certificate. `kubernetes` is the API server's, listed or not.
function isInServiceDomain(host: Host, dnsDomain: string): boolean {
  if (!host.startsWith('dns:')) return false;
  const name = host.slice('dns:'.length);
  const domain = dnsHost(dnsDomain).slice('dns:'.length);
  const apiServer = ['kubernetes', 'kubernetes.default'];
  const within = domain !== '' && (name === domain || name.endsWith(`.${domain}`));
  return within || name.split('.').includes('svc') || apiServer.includes(name);
}
