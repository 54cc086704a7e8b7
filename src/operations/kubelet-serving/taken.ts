import { dnsHost, hostOf, type Host } from './host.ts';
import type { ClusterNode, ClusterService, Surroundings } from './surroundings.ts';

/** The owner of a name or an address, in words; undefined: it is free. */
export type Owner = string | undefined;

export function otherNodeOwning(host: Host, nodeName: string, { nodes }: Surroundings): Owner {
  const owner = nodes.find(
    (node) => node.name !== nodeName && [node.name, ...addressesOf(node)].some((one) => hostOf(one) === host),
  );
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

/** The kinds of addresses that a kubelet asks for; a kind that Kubernetes may add is none of them. */
export function hostsOf(node: ClusterNode): readonly Host[] {
  const kinds = ['Hostname', 'InternalDNS', 'ExternalDNS', 'InternalIP', 'ExternalIP'];
  return node.addresses.filter(({ type }) => kinds.includes(type)).map(({ address }) => hostOf(address));
}

function addressesOf({ addresses }: ClusterNode): string[] {
  return addresses.map(({ address }) => address);
}

function addressesAt({ clusterIPs, externalIPs, loadBalancers }: ClusterService): string[] {
  return [...clusterIPs, ...externalIPs, ...loadBalancers].filter((one) => one !== '' && one !== 'None');
}

// What a pod can call it, its resolv.conf searching NAMESPACE.svc.DOMAIN, svc.DOMAIN and DOMAIN.
function namesAt({ namespace, name }: ClusterService, dnsDomain: string): string[] {
  const short = [name, `${name}.${namespace}`, `${name}.${namespace}.svc`];
  return [...short, `${name}.${namespace}.svc.${dnsDomain}`];
}

// The Service may come later than the certificate. `kubernetes` is the API server's, listed or not.
function isInServiceDomain(host: Host, dnsDomain: string): boolean {
  if (!host.startsWith('dns:')) return false;
  const name = host.slice('dns:'.length);
  const domain = dnsHost(dnsDomain).slice('dns:'.length);
  const apiServer = ['kubernetes', 'kubernetes.default'];
  const within = domain !== '' && (name === domain || name.endsWith(`.${domain}`));
  return within || name.split('.').includes('svc') || apiServer.includes(name);
}
