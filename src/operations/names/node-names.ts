import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type SubjectSpec, kubeletKubeconfig, type CertificateSpec } from '../../catalog/catalog.ts';
import type { NodeNaming } from '../../config/node-naming.ts';

/** All that kubeadm's SAN rules look at; they fall back on no default. */
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
  /** Each once, in the order of the rules. */
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

/**
 * The address of the service "kubernetes": the first behind the network's own.
 * @param cidr valid
 */
export function serviceAddress(cidr: string): string {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const bytes = address.toByteArray();
  const network = bytes.map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
  const last = network.length - 1;
  network[last] = (network[last] ?? 0) + 1;
  return ipaddr.fromByteArray(network).toString();
}

export function commonNameOf(
  { subject: { commonName } }: CertificateSpec,
  { nodeName }: NodeIdentity,
): string {
  return typeof commonName === 'string' ? commonName : `${commonName.node}${nodeName}`;
}

// For kubeadm these talk to this node's API server, and all others to the control plane's endpoint.
const localComponents: readonly string[] = ['controller-manager.conf', 'scheduler.conf'];

/**
 * Since 1.33 a kubelet talks to the API server of its own node, which is never older than the kubelet. The feature gate
 * ControlPlaneKubeletLocalMode decides where it is set.
 */
export function kubeletServerOf({
  kubernetesVersion,
  kubeletLocalMode,
}: Pick<NodeNaming, 'kubernetesVersion' | 'kubeletLocalMode'>): NodeIdentity['kubeletServer'] {
  if (kubeletLocalMode !== undefined) return kubeletLocalMode ? 'own' : 'endpoint';
  if (kubernetesVersion === undefined) return 'unknown';
  return kubernetesVersion.minor >= 33 ? 'own' : 'endpoint';
}

/** Whether the certificate has the node's name in it. */
export function needsNodeName({ subject }: CertificateSpec): boolean {
  return typeof subject.commonName !== 'string' || subject.names !== 'none';
}

/** Whether the certificate, or its kubeconfig, has the address of the node's API server in it. */
export function needsAddress(
  spec: CertificateSpec,
  node: Pick<NodeIdentity, 'kubeletServer' | 'controlPlaneEndpoint'>,
): boolean {
  if (spec.kind === 'leaf') return spec.subject.names !== 'none';
  return isLocal(spec, node) || node.controlPlaneEndpoint === undefined;
}

/** The URL that a kubeconfig talks to. */
export function serverOf(spec: CertificateSpec, node: NodeIdentity): string {
  return isLocal(spec, node) ? localServer(node) : sharedServer(node);
}

/** The URLs that a kubeconfig may talk to; the first is what a new one would have. */
export function serversOf(spec: CertificateSpec, node: NodeIdentity): readonly [string, ...string[]] {
  const isOpen = spec === kubeletKubeconfig && node.kubeletServer === 'unknown';
  return isOpen ? [serverOf(spec, node), sharedServer(node)] : [serverOf(spec, node)];
}

function isLocal(spec: CertificateSpec, { kubeletServer }: Pick<NodeIdentity, 'kubeletServer'>): boolean {
  return spec === kubeletKubeconfig ? kubeletServer !== 'endpoint' : localComponents.includes(spec.name);
}

function localServer({ advertiseAddress, bindPort }: NodeIdentity): string {
  return url(advertiseAddress, bindPort);
}

function sharedServer(node: NodeIdentity): string {
  const { controlPlaneEndpoint, bindPort } = node;
  return controlPlaneEndpoint === undefined
    ? localServer(node)
    : url(controlPlaneEndpoint.host, controlPlaneEndpoint.port ?? bindPort);
}

function url(host: string, port: number): string {
  // The address is written as Go writes it.
  const canonical = isIP(host) === 0 ? host : ipaddr.process(host).toString();
  const shown = canonical.includes(':') ? `[${canonical}]` : canonical;
  return `https://${shown}:${String(port)}`;
}
