import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { SubjectSpec } from '../../catalog/catalog.ts';

/** Everything that kubeadm's SAN rules look at; nothing is left to a default. */
export interface NodeIdentity {
  /** Where the kubelet of a control-plane node finds the API server: see `serverOf`. */
  readonly kubeletServer: 'own' | 'endpoint' | 'unknown';
  readonly nodeName: string;
  readonly advertiseAddress: string;
  readonly bindPort: number;
  readonly clusterName: string;
  readonly controlPlaneEndpoint: { readonly host: string; readonly port: number | undefined } | undefined;
  readonly serviceSubnets: readonly string[];
  readonly dnsDomain: string;
  readonly apiServerSans: readonly string[];
  readonly etcdServerSans: readonly string[];
  readonly etcdPeerSans: readonly string[];
}

export interface RequestedNames {
  /** Sorted, each once, as kubeadm has them. */
  readonly dnsNames: readonly string[];
  /** In the order of the rules, each once. */
  readonly ipAddresses: readonly string[];
}

/** kubeadm's GetAPIServerAltNames, GetEtcdAltNames and GetEtcdPeerAltNames. */
export function requestedNames(names: SubjectSpec['names'], node: NodeIdentity): RequestedNames {
  switch (names) {
    case 'none':
      return { dnsNames: [], ipAddresses: [] };
    case 'apiserver':
      return split([
        node.nodeName,
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        `kubernetes.default.svc.${node.dnsDomain}`,
        // The address of the service "kubernetes": the first of the first subnet.
        serviceAddress(node.serviceSubnets[0] ?? ''),
        node.advertiseAddress,
        ...(node.controlPlaneEndpoint === undefined ? [] : [node.controlPlaneEndpoint.host]),
        ...node.apiServerSans,
      ]);
    case 'etcd-server':
    case 'etcd-peer':
      return split([
        node.nodeName,
        'localhost',
        node.advertiseAddress,
        '127.0.0.1',
        '::1',
        ...(names === 'etcd-server' ? node.etcdServerSans : node.etcdPeerSans),
      ]);
  }
}

function split(names: readonly string[]): RequestedNames {
  const addresses = names.filter((name) => isIP(name) !== 0).map((name) => ipaddr.process(name).toString());
  return {
    dnsNames: [...new Set(names.filter((name) => isIP(name) === 0))].sort(),
    ipAddresses: [...new Set(addresses)],
  };
}

/** The address of the service "kubernetes": the first behind the network's own. @param cidr valid */
export function serviceAddress(cidr: string): string {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const bytes = address.toByteArray();
  // The network's own address, then one more.
  const network = bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
  const last = network.length - 1;
  network[last] = (network[last] ?? 0) + 1;
  return ipaddr.fromByteArray(network).toString();
}
